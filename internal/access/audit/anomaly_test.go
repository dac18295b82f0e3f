// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// counted counts suspicious plugins.
type counted struct {
	NoMetrics

	suspicious map[string]int
}

func (c counted) Suspicious(plugin string) { c.suspicious[plugin]++ }

func denied(plugin string) Record {
	return Record{
		Plugin: plugin, Verb: "patch", Group: "inventory.example.com", Resource: "items", Subresource: "status",
		Namespace: "shop", Name: "hammer", Decision: DecisionDenied, Layer: "apiserver", Reason: "Forbidden",
	}
}

func TestDetector(t *testing.T) {
	t.Parallel()
	const a, b = "shop/a", "shop/b"
	type step struct {
		plugin   string
		times    int
		every    time.Duration // before each denied request
		findings int
	}
	for _, tc := range []struct {
		name, why string
		steps     []step
	}{
		{"few", "one below the threshold", []step{{a, Threshold - 1, 0, 0}}},
		{"enough", "", []step{{a, Threshold, 0, 1}}},
		{"slow", "they never come together within the window", []step{{a, 500, Window/(Threshold-1) + time.Second, 0}}},
		{"just within", "the last one ends the window", []step{{a, Threshold, Window / (Threshold - 1), 1}}},
		{"two plugins", "each has its own count", []step{{a, Threshold - 1, 0, 0}, {b, Threshold - 1, 0, 0}, {b, 1, 0, 1}}},
		{"many", "it is told once", []step{{a, 1000, time.Millisecond, 1}}},
		{"for an hour", "and again while it goes on", []step{{a, 3600, time.Second, 6}}},
		{"again", "after quiet, it takes as many as the first time", []step{{a, Threshold, 0, 1}, {a, 1, Quiet, 0}, {a, Threshold - 1, 0, 1}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			clk := clocktesting.NewFakeClock(time.Now())
			counts := counted{suspicious: map[string]int{}}
			d := NewDetector(clk, counts)
			total := map[string]int{}
			for i, s := range tc.steps {
				findings := 0
				for range s.times {
					clk.Step(s.every)
					if _, ok := d.Denied(denied(s.plugin)); ok {
						findings++
					}
				}
				if findings != s.findings {
					t.Errorf("%s: step %d: %d findings, want %d", tc.why, i, findings, s.findings)
				}
				total[s.plugin] += findings
			}
			for plugin, n := range total {
				if counts.suspicious[plugin] != n {
					t.Errorf("%s: %d are counted, want %d", plugin, counts.suspicious[plugin], n)
				}
			}
		})
	}
}

func TestDetector_Forget(t *testing.T) {
	t.Parallel()
	d := NewDetector(clocktesting.NewFakeClock(time.Now()), nil)
	for range Threshold - 1 {
		d.Denied(denied("shop/a"))
	}
	d.Forget("shop/a")
	if _, ok := d.Denied(denied("shop/a")); ok || len(d.plugins) != 1 {
		t.Error("what was forgotten counts")
	}
}

func TestFinding_String(t *testing.T) {
	t.Parallel()
	got := Finding{Within: 12*time.Second + time.Millisecond, Last: denied("shop/a")}.String()
	const want = `20 of the plugin's requests were denied within 12s; the last one: patch items.inventory.example.com/status in namespace "shop", denied by apiserver (Forbidden).`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = Finding{Last: Record{Verb: "POST", Resource: "http", Host: "a.example:443", Layer: "allowlist", Reason: "Forbidden"}}.String()
	if !strings.Contains(got, `the last one: POST http to "a.example:443", denied by allowlist (Forbidden).`) {
		t.Errorf("got %q", got)
	}
}
