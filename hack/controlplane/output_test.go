// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestOutput(t *testing.T) {
	t.Parallel()
	var o output
	// Split inside lines, as a pipe does.
	for _, part := range []string{
		"go: downloading k8s.io/api v0.37.2\nk8s.io/", "api/core/v1\ninternal/abi\n",
		"# k8s.io/kubernetes/pkg/x\npkg/x/x.go:1:1: undefined: y\nno new", "line",
	} {
		if n, err := o.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if downloaded, compiled := o.counts(); downloaded != 1 || compiled != 2 {
		t.Errorf("counts = %d modules, %d packages, want 1 and 2", downloaded, compiled)
	}
	const want = "# k8s.io/kubernetes/pkg/x\npkg/x/x.go:1:1: undefined: y\nno newline"
	if got := o.text(); got != want {
		t.Errorf("text = %q, want %q", got, want)
	}
}

func TestOutput_keepsTheEnd(t *testing.T) {
	t.Parallel()
	var o output
	for i := range 3 * keptLines {
		fmt.Fprintf(&o, "message %d\n", i)
	}
	lines := strings.Split(o.text(), "\n")
	if last := fmt.Sprintf("message %d", 3*keptLines-1); len(lines) != keptLines || lines[keptLines-1] != last {
		t.Errorf("kept %d lines up to %q, want %d up to %q", len(lines), lines[len(lines)-1], keptLines, last)
	}
}
