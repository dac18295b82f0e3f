// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

const (
	// Redacted stands where a secret was.
	Redacted = "[redacted]"
	// minSecret is how many bytes a value must have to be looked for: shorter ones are found in every other
	// word, which would hide more than it protects.
	minSecret = 6
)

// Redactor takes secrets that a plugin was given out of what its guest says. It keeps a guest that quotes its
// settings from showing them, not one that means to: whoever has a secret can write it in a way that nobody
// recognises. The zero value and nil find nothing.
type Redactor struct {
	// forms are what is looked for, the longest first.
	forms    []string
	replacer *strings.Replacer
}

// NewRedactor makes a Redactor for values: as they are, line by line, and as JSON, URLs and base64 have them.
func NewRedactor(values ...string) *Redactor {
	r := &Redactor{}
	for _, v := range values {
		r.forms = append(r.forms, formsOf(v)...)
	}
	// At one place the longest is taken, so that nothing of it is left.
	slices.SortFunc(r.forms, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	r.forms = slices.Compact(r.forms)
	if len(r.forms) == 0 {
		return r
	}
	pairs := make([]string, 0, 2*len(r.forms))
	for _, f := range r.forms {
		pairs = append(pairs, f, Redacted)
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

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

// Text returns a text without the secrets.
func (r *Redactor) Text(text string) string {
	if r == nil || r.replacer == nil {
		return text
	}
	return r.replacer.Replace(text)
}

// Cut is Text for the beginning of a text, when all of it has more bytes than the limit. A secret that the cut
// goes through is left out.
func (r *Redactor) Cut(text string, limit int) string {
	if len(text) <= limit {
		return r.Text(text)
	}
	text = text[:limit]
	return r.Text(text[:len(text)-r.begun(text)])
}

// begun is how many bytes at the end of a text may be the beginning of a secret.
func (r *Redactor) begun(text string) int {
	if r == nil {
		return 0
	}
	most := 0
	for _, f := range r.forms {
		for n := min(len(f)-1, len(text)); n > most; n-- {
			if strings.HasSuffix(text, f[:n]) {
				most = n
				break
			}
		}
	}
	return most
}

// Word returns a word of an API, which may not hold any sign, without the secrets.
func (r *Redactor) Word(word string) string {
	if r.Text(word) != word {
		return "Redacted"
	}
	return word
}

// Error returns an error whose text is without the secrets, and which is still the same to errors.Is and errors.As.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	clean := r.Text(text)
	if clean == text {
		return err
	}
	return &redactedError{error: err, text: clean}
}

type redactedError struct {
	error

	text string
}

// Error returns what may be seen.
func (e *redactedError) Error() string { return e.text }

// Unwrap returns the error itself.
func (e *redactedError) Unwrap() error { return e.error }
