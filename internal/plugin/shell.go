// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"regexp"
	"strings"
)

// plainWord is a word that every shell takes as it stands.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// ShellQuote returns a word of a command that users are told to paste: what comes from a spec is one word, whatever is
// in it.
func ShellQuote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
