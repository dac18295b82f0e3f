// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"testing"
	"time"
)

// testSession returns a session without guests, which measures only subjects that do not need a guest.
func testSession(t *testing.T) *session {
	t.Helper()
	s, err := newSession(t.Context(), "../..", t.TempDir(), time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	s.log = t.Logf
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSections_areWellFormed(t *testing.T) {
	t.Parallel()
	s := testSession(t)
	seen := map[string]bool{}
	for _, sec := range sections() {
		for _, r := range sec.rows {
			if seen[r.name] {
				t.Errorf("two rows are called %q", r.name)
			}
			seen[r.name] = true
			if r.what == "" || r.unit == "" || r.measure == nil || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(r.name) {
				t.Errorf("row %q is not complete: %+v", r.name, r)
			}
			for _, name := range r.wanted() {
				if _, err := s.subject(name); err != nil {
					t.Errorf("row %q: %v", r.name, err)
				}
			}
		}
	}
	for name := range reasons {
		if !seen[name] {
			t.Errorf("there is a reason for %q, which is no row", name)
		}
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	all := []section{{title: "a", rows: []row{{name: "x-1"}, {name: "y"}}}, {title: "b", rows: []row{{name: "y-2"}}}}
	picked := pick(all, regexp.MustCompile("^x"))
	if len(picked) != 1 || len(picked[0].rows) != 1 || picked[0].rows[0].name != "x-1" {
		t.Errorf("got %+v", picked)
	}
	if len(all[0].rows) != 2 || all[0].rows[1].name != "y" {
		t.Errorf("picking changed what is picked from: %+v", all)
	}
}

// TestRun_skipsWhatIsNotBuilt checks that rows about guests that are not built are skipped with a reason, and that the
// other rows are measured.
func TestRun_skipsWhatIsNotBuilt(t *testing.T) {
	t.Parallel()
	s := testSession(t)
	s.plan.Rounds = 2
	picked := pick(sections(), regexp.MustCompile("^(reconcile-c-p50|peer-native-p50|memory-idle-c)$"))
	results, err := run(s, picked)
	if err != nil {
		t.Fatal(err)
	}
	for _, sec := range results {
		for _, r := range sec.Rows {
			if measured := r.Value != nil; measured != (r.Name == "peer-native-p50") || measured == (r.Skipped != "") {
				t.Errorf("row %q: value %v, skipped %q", r.Name, r.Value, r.Skipped)
			}
		}
	}
}

func TestCutCallers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		name    string
		callers int
	}{
		"rust": {"rust", 1}, "rust-2": {"rust", 2}, "2": {"", 2}, "16": {"", 16}, "": {"", 1}, "go-decoder-2": {"go-decoder", 2},
	} {
		if name, callers := cutCallers(in); name != want.name || callers != want.callers {
			t.Errorf("cutCallers(%q) = %q, %d", in, name, callers)
		}
	}
}

func TestLongestGap(t *testing.T) {
	t.Parallel()
	start := time.Now()
	at := func(ms ...int) (times []time.Time) {
		for _, n := range ms {
			times = append(times, start.Add(time.Duration(n)*time.Millisecond))
		}
		return times
	}
	for _, tc := range []struct {
		name  string
		times []time.Time
		want  time.Duration
	}{
		{"nothing", nil, 0}, {"one", at(1), 0}, {"several", at(1, 3, 10, 11), 7 * time.Millisecond},
	} {
		if got := longestGap(tc.times); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}
