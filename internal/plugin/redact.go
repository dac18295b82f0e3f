// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"slices"
	"strings"

	"github.com/k1s-io/k1s/internal/text"
)

const (
	// Redacted replaces a secret.
	Redacted = "[redacted]"
	// minSecret is the minimum size, in bytes, of the values that are redacted. Shorter values occur in many ordinary
	// words: redacting them would hide more than it protects.
	minSecret = 6
	// positionsPerCheck is the number of positions that are searched between two checks of the deadline. That takes
	// about a millisecond at worst.
	positionsPerCheck = 4 << 10
)

// Redactor removes the secrets that a plugin was given from the output of its guest. It protects against a guest that
// quotes its settings by accident. It does not protect against a guest that wants to disclose them, because a guest can
// encode a secret in any way. The zero value and nil find nothing.
//
// A search takes one or two lookups for each byte of the text, and one more each time the number of different lengths
// of the forms doubles, regardless of the text and the secrets.
type Redactor struct {
	prefixes *prefixTable
}

// NewRedactor returns a Redactor for values. It finds them as they are, line by line, and encoded for JSON, URLs and
// base64.
func NewRedactor(values ...string) *Redactor {
	var forms []string
	for _, v := range values {
		forms = append(forms, formsOf(v)...)
	}
	if len(forms) == 0 {
		return &Redactor{}
	}
	slices.Sort(forms)
	return &Redactor{prefixes: newPrefixTable(slices.Compact(forms))}
}

// Text returns a text with the secrets redacted.
func (r *Redactor) Text(text string) string {
	clean, _ := r.TextContext(context.Background(), text) // a context that never ends
	return clean
}

// TextContext is like Text, but stops when the context ends or its deadline passes. It then returns an error and an
// empty text.
func (r *Redactor) TextContext(ctx context.Context, text string) (string, error) {
	if r == nil || r.prefixes == nil {
		return text, nil
	}
	return newSearch(r.prefixes, text).replace(ctx)
}

// Cut returns the first limit bytes of a text with the secrets redacted, or all of it if it is not longer. A secret at
// the position of the cut is left out.
func (r *Redactor) Cut(text string, limit int) string {
	clean, _ := r.CutContext(context.Background(), text, limit) // a context that never ends
	return clean
}

// Truncate returns a text of at most limit bytes with the secrets redacted, like text.Truncate.
func (r *Redactor) Truncate(s string, limit int) string {
	if len(s) > limit {
		s = strings.ToValidUTF8(r.Cut(s, limit-len("…")), "") + "…"
	} else {
		s = r.Text(s)
	}
	return text.Truncate(s, limit) // a replacement may be longer than the secret
}

// CutContext is like Cut, but stops when the context ends or its deadline passes. It then returns an error and an empty
// text.
func (r *Redactor) CutContext(ctx context.Context, text string, limit int) (string, error) {
	if len(text) <= limit {
		return r.TextContext(ctx, text)
	}
	text = text[:limit]
	return r.TextContext(ctx, text[:len(text)-r.begun(text)])
}

// begun returns how many bytes at the end of a text may be the beginning of a secret.
func (r *Redactor) begun(text string) int {
	if r == nil || r.prefixes == nil {
		return 0
	}
	return newSearch(r.prefixes, text).begun()
}

// Word returns a word of an API, such as a reason, or "Redacted" if it contains a secret. Such a word cannot contain
// arbitrary characters, so Redacted cannot be used.
func (r *Redactor) Word(word string) string {
	if r.Text(word) != word {
		return "Redacted"
	}
	return word
}

// Error returns an error with the same text, in which the secrets are redacted. The result still matches the original
// error in errors.Is and errors.As.
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

// Error returns the redacted text.
func (e *redactedError) Error() string { return e.text }

// Unwrap returns the original error.
func (e *redactedError) Unwrap() error { return e.error }
