// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"os/exec"
	"testing"
)

func TestShellQuote(t *testing.T) {
	t.Parallel()
	for _, word := range []string{
		"plain", "shop:robot", "a/b.c-d_e@f", "", " ", "two words", "it's", `"`, "$(id)", "`id`", "a;b", "a&b", "a|b", "*", "~", "#", "a\nb", `\`, "'; id; '", "é",
	} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+ShellQuote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("a shell reads %s as %q (%v), want %q", ShellQuote(word), out, err, word)
		}
	}
	if got := ShellQuote("shop:robot"); got != "shop:robot" {
		t.Errorf("a plain word is quoted: %s", got)
	}
}
