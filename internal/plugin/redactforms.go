// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// formsOf returns how a value may be written.
func formsOf(value string) []string {
	if len(value) < minSecret {
		return nil
	}
	forms := []string{value}
	if lines := strings.FieldsFunc(value, func(c rune) bool { return c == '\n' || c == '\r' }); len(lines) > 1 {
		forms = append(forms, lines...) // logs are written line by line
		forms = append(forms, printable(value))
	}
	trimmed := strings.TrimSpace(value)
	forms = append(forms, trimmed) // many a Secret ends with a line feed that its reader drops
	for _, v := range []string{value, trimmed} {
		forms = append(forms, quoted(v, true), quoted(v, false), url.QueryEscape(v), url.PathEscape(v))
		forms = append(forms, encoded(v)...)
	}
	return slices.DeleteFunc(forms, func(f string) bool { return len(f) < minSecret })
}

// quoted returns a value as it stands in JSON, between the quotes.
func quoted(value string, html bool) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(html)
	_ = e.Encode(value) // a string always encodes
	text := strings.TrimSuffix(out.String(), "\n")
	return text[1 : len(text)-1]
}

// encoded returns a value as it stands in base64, alone or in the midst of something longer, such as
// "user:password": there it begins at one of three places within a group.
func encoded(value string) []string {
	var forms []string
	for _, base := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := base.EncodeToString([]byte(strings.Repeat("\x00", before) + value))
			// The first and the last character may have bits of what is around.
			first := (before*8 + 5) / 6
			last := (before + len(value)) * 8 / 6
			forms = append(forms, text[first:last])
		}
		forms = append(forms, base.EncodeToString([]byte(value)))
	}
	return forms
}
