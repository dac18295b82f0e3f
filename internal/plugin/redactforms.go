// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/k1s-io/k1s/internal/text"
)

// formsOf returns the forms in which a value may appear.
func formsOf(value string) []string {
	if len(value) < minSecret {
		return nil
	}
	forms := []string{value}
	if lines := strings.FieldsFunc(value, func(c rune) bool { return c == '\n' || c == '\r' }); len(lines) > 1 {
		forms = append(forms, lines...) // logs are written line by line
		forms = append(forms, text.Printable(value))
	}
	trimmed := strings.TrimSpace(value)
	forms = append(forms, trimmed) // many Secrets end with a line feed that the reader strips
	for _, v := range []string{value, trimmed} {
		forms = append(forms, quoted(v, true), quoted(v, false), url.QueryEscape(v), url.PathEscape(v))
		forms = append(forms, encoded(v)...)
	}
	return slices.DeleteFunc(forms, func(f string) bool { return len(f) < minSecret })
}

// quoted returns a value as it is encoded in JSON, without the quotes.
func quoted(value string, html bool) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(html)
	_ = e.Encode(value) // encoding a string never fails
	text := strings.TrimSuffix(out.String(), "\n")
	return text[1 : len(text)-1]
}

// encoded returns a value as it is encoded in base64, alone or inside a longer text such as "user:password". Inside a
// longer text, it starts at one of three offsets within a group.
func encoded(value string) []string {
	var forms []string
	for _, base := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := base.EncodeToString([]byte(strings.Repeat("\x00", before) + value))
			// The first and the last character may contain bits of the surrounding text.
			first := (before*8 + 5) / 6
			last := (before + len(value)) * 8 / 6
			forms = append(forms, text[first:last])
		}
		forms = append(forms, base.EncodeToString([]byte(value)))
	}
	return forms
}
