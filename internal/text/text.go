// SPDX-License-Identifier: Apache-2.0

// Package text implements what makes text of plugins and of users fit for a message: its length and its characters.
package text

import (
	"strings"
	"unicode"
)

// more ends a text that is truncated.
const more = "…"

// Truncate returns a text of at most the given number of bytes, which ends with "…" if something was left out. It cuts
// between two characters.
func Truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len(more)], "") + more
}

// Printable replaces control characters with spaces, so that a text cannot forge lines of a log.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
