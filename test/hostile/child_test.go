// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/wasm/compiler"
)

// childVariable is the environment variable with the name of the attack that this process runs, if it is the child of a
// test.
const childVariable = "K1S_HOSTILE_ATTACK"

// Time limits of a child, with one attack and with all of them. A child that exceeds its limit hangs.
const (
	childTime = 10 * time.Minute
	crowdTime = 30 * time.Minute
)

// report is the result of a child.
type report struct {
	// Failures describes what must not happen.
	Failures []string
	// Outcome is how the attack ended, and Notes are the measurements.
	Outcome, Notes string
}

func TestMain(m *testing.M) {
	compiler.Dispatch()
	name, child := os.LookupEnv(childVariable)
	if !child {
		os.Exit(m.Run())
	}
	r := runChild(name)
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runChild implements a child.
func runChild(name string) report {
	if name == crowd {
		return runCrowd()
	}
	for _, a := range attacks() {
		if a.name == name {
			return runAlone(a)
		}
	}
	return report{Failures: []string{fmt.Sprintf("there is no attack %q", name)}}
}

// inChild runs an attack in a process of its own.
func inChild(t *testing.T, name string) {
	t.Helper()
	limit := childTime
	if name == crowd {
		limit = crowdTime
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		t.Fatalf("%s: the process hung for %s and was killed", name, limit)
	case err != nil:
		t.Fatalf("the process ended with %v:\n%s", err, firstLines(stderr.String(), 40))
	}
	var r report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("the process reported %q: %v", stdout.String(), err)
	}
	for _, failure := range r.Failures {
		t.Error(failure)
	}
	t.Logf("%s: %s\n%s; in all %s", name, r.Outcome, r.Notes, time.Since(start).Round(time.Millisecond))
}

func firstLines(text string, n int) string {
	lines := strings.SplitAfterN(text, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "")
}
