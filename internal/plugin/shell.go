// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"regexp"
	"strings"
)

// plainWord matches a word that no shell interprets.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// ShellQuote returns a word quoted for a command in a message to users. Whatever a field of a spec contains, the result
// is one word.
func ShellQuote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
