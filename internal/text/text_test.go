// SPDX-License-Identifier: Apache-2.0

package text

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTruncate(t *testing.T) {
	t.Parallel()
	if got := Truncate("short", 5); got != "short" {
		t.Errorf("a text that fits: got %q", got)
	}
	if got := Truncate("longer", 5); got != "lo…" {
		t.Errorf("got %q", got)
	}
	long := strings.Repeat("aé€😀", 100)
	for limit := 3; limit < len(long); limit++ {
		if got := Truncate(long, limit); !utf8.ValidString(got) || len(got) > limit || len(got) < limit-3 || !strings.HasSuffix(got, "…") {
			t.Errorf("to %d bytes: got %q", limit, got)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	if got := Printable("a\nb\x1b[31m\u0085c\xff"); got != "a b [31m c\uFFFD" {
		t.Errorf("got %q", got)
	}
}
