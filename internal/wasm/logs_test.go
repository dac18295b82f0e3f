// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/abi"
)

func TestLogs_levels(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	r := load(t, e, "modes")
	tests := []struct {
		name  string
		level byte
		want  []string
	}{
		{"debug", 0, []string{`"level"=1`}},
		{"info", 1, []string{`"level"=0`}},
		{"warning", 2, []string{`"level"=0`, `"severity"="warning"`}},
		{"error", 3, []string{`"error"=null`}},
		{"beyond", 4, []string{`"error"=null`}},
		{"negative", 0xff, []string{`"error"=null`}},
	}
	for _, tt := range tests {
		if _, err := mode(t.Context(), r, 't', append([]byte{tt.level}, "said at "+tt.name...)...); err != nil {
			t.Fatal(err)
		}
		for _, want := range append(tt.want, `"plugin"="test/modes"`) {
			lines := l.Lines()
			if last := lines[len(lines)-1]; !strings.Contains(last, "said at "+tt.name) || !strings.Contains(last, want) {
				t.Errorf("%s: got %s, want %s in it", tt.name, last, want)
			}
		}
	}
}

// TestLogs_text verifies that a guest can neither forge log lines nor write endless ones.
func TestLogs_text(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	r := load(t, e, "modes")
	long := strings.Repeat("x", abi.MaxLogMessage)
	for _, text := range []string{"\x01one\ntwo\x1b[31m", "\x01bad \xff UTF-8", "\x01" + long + "cut off"} {
		if _, err := mode(t.Context(), r, 't', []byte(text)...); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`"one two [31m"`, "bad \uFFFD UTF-8", `"` + long + `"`} {
		if l.Count(want) != 1 {
			t.Errorf("%.40s is not logged", want)
		}
	}
}

func TestLogs_flood(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	r := load(t, e, "modes")
	for range 2 { // the second call has its own quota
		if _, err := mode(t.Context(), r, 'k', u32(5000)...); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.Count("flood"); got != 2*maxLinesPerCall {
		t.Errorf("%d lines are logged, want %d", got, 2*maxLinesPerCall)
	}
	if got := l.Count(`"lines"=4900`); got != 2 {
		t.Errorf("what is dropped is told %d times, want 2", got)
	}
}

// TestLogs_flood_calls verifies that a guest that is called repeatedly cannot log without limit: log rotation would
// remove the lines of others.
func TestLogs_flood_calls(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	r := load(t, e, "modes")
	limiter := r.(*runner).limiter
	if limiter.Limit() != loggedPerSecond || limiter.Burst() != loggedAtOnce {
		t.Errorf("%v bytes a second and %d at once may be logged", limiter.Limit(), limiter.Burst())
	}
	limiter.SetLimit(0) // so that the limit does not depend on the duration of the test
	lines := strings.Repeat(strings.Repeat("z", abi.MaxLogMessage)+"\n", maxLinesPerCall)
	const calls = 20 // each logs more than 800 KiB
	for range calls {
		if _, err := mode(t.Context(), r, 'p', []byte(lines)...); err != nil {
			t.Fatal(err)
		}
	}
	got := l.Count("zzzz") * (abi.MaxLogMessage + lineOverhead)
	if got > loggedAtOnce || got < loggedAtOnce/2 {
		t.Errorf("%d bytes are logged, want %d at most and about that", got, loggedAtOnce)
	}
	if l.Count("Dropped lines of a guest that logs too much") == 0 {
		t.Error("it is not told that lines are dropped")
	}
	load(t, e, "start_log")
	if l.Count("booting") != 1 {
		t.Error("another plugin's line is lost")
	}
}

func TestLogs_output(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	r := load(t, e, "modes")
	lines := strings.Repeat("a line\n", 150)
	for range 2 {
		if _, err := mode(t.Context(), r, 'p', []byte(lines)...); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.Count("a line"); got != 2*maxLinesPerCall {
		t.Errorf("%d lines are logged, want %d", got, 2*maxLinesPerCall)
	}
	for _, text := range []string{"\n\nno end", strings.Repeat("y", 20_000)} {
		if _, err := mode(t.Context(), r, 'p', []byte(text)...); err != nil {
			t.Fatal(err)
		}
	}
	if l.Count(`"no end" "plugin"="test/modes" "stream"="stdout"`) != 1 {
		t.Error("a line without an end is not logged when its call ends")
	}
	if l.Count(`"`+strings.Repeat("y", abi.MaxLogMessage)+`"`) != 1 {
		t.Error("a line that is too long is not cut off")
	}
}

// TestLogs_startFunction verifies that a start function can log, although it cannot call host functions that reply.
func TestLogs_startFunction(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	load(t, e, "start_log")
	if l.Count("booting") != 1 {
		t.Error("nothing is logged")
	}
}
