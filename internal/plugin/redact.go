// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"slices"
)

const (
	// Redacted stands where a secret was.
	Redacted = "[redacted]"
	// minSecret is how many bytes a value must have to be looked for: shorter ones are found in every other
	// word, which would hide more than it protects.
	minSecret = 6
	// positionsPerCheck is how far a text is searched between two checks of the deadline: about a millisecond's work
	// at worst.
	positionsPerCheck = 4 << 10
)

// Redactor takes secrets that a plugin was given out of what its guest says. It keeps a guest that quotes its
// settings from showing them, not one that means to: whoever has a secret can write it in a way that nobody
// recognizes. The zero value and nil find nothing.
//
// A search takes one or two look-ups for each byte of the text, and one more each time the number of different
// lengths among the forms doubles, whatever the text and the secrets are.
type Redactor struct {
	prefixes *prefixTable
}

// NewRedactor makes a Redactor for values: as they are, line by line, and as JSON, URLs and base64 have them.
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

// Text returns a text without the secrets.
func (r *Redactor) Text(text string) string {
	clean, _ := r.TextContext(context.Background(), text) // which never ends
	return clean
}

// TextContext is Text until the context ends or its deadline passes. Then it returns an error and nothing of the text.
func (r *Redactor) TextContext(ctx context.Context, text string) (string, error) {
	if r == nil || r.prefixes == nil {
		return text, nil
	}
	return newSearch(r.prefixes, text).replace(ctx)
}

// Cut is Text for the beginning of a text, when all of it has more bytes than the limit. A secret that the cut
// goes through is left out.
func (r *Redactor) Cut(text string, limit int) string {
	clean, _ := r.CutContext(context.Background(), text, limit) // which never ends
	return clean
}

// CutContext is Cut until the context ends or its deadline passes. Then it returns an error and nothing of the text.
func (r *Redactor) CutContext(ctx context.Context, text string, limit int) (string, error) {
	if len(text) <= limit {
		return r.TextContext(ctx, text)
	}
	text = text[:limit]
	return r.TextContext(ctx, text[:len(text)-r.begun(text)])
}

// begun is how many bytes at the end of a text may be the beginning of a secret.
func (r *Redactor) begun(text string) int {
	if r == nil || r.prefixes == nil {
		return 0
	}
	return newSearch(r.prefixes, text).begun()
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
