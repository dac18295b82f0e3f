// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/audit"
)

// auditRecorder stores Records.
type auditRecorder struct {
	mu      sync.Mutex
	records []audit.Record
}

// Record implements Audit.
func (k *auditRecorder) Record(r audit.Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.records = append(k.records, r)
}

// take returns and removes the stored Records.
func (k *auditRecorder) take() []audit.Record {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := k.records
	k.records = nil
	return out
}

// audited is a testCluster that stores Records, and counts denied requests like the plugin's controller.
func audited(t *testing.T) (*testCluster, *auditRecorder, *auditRecorder) {
	t.Helper()
	w, all, denied := newTestCluster(t), &auditRecorder{}, &auditRecorder{}
	w.factory.Audit = all
	w.thing(t, w.namespace)
	return w, all, denied
}

func (k *auditRecorder) of(o *Options) { o.Revision, o.Denied = "sha256:abc", k.Record }

// record returns the expected Record of a request for "thing", without its time.
func (w *testCluster) record(op operation, decision, layer, reason string) audit.Record {
	resource, subresource, _ := strings.Cut(op.resource, "/")
	r := audit.Record{
		Plugin: w.namespace + "/tester", Revision: "sha256:abc", Account: "system:serviceaccount:" + w.namespace + ":" + account,
		Verb: op.verb, Group: op.group(), Resource: resource, Subresource: subresource, Namespace: w.namespace, Name: "thing",
		Decision: decision, Layer: layer, Reason: reason,
	}
	switch op.name {
	case "list":
		r.Name = ""
	case "create":
		r.Name = "another"
	}
	return r
}

func diffRecords(op operation, want, got []audit.Record) string {
	ignore := cmpopts.IgnoreFields(audit.Record{}, "Time", "LatencyMicros")
	for i := range got {
		if op.name == "event" && strings.HasPrefix(got[i].Name, "thing.") { // followed by a random part
			got[i].Name = "thing"
		}
	}
	return cmp.Diff(want, got, ignore, cmpopts.EquateEmpty())
}

// TestRecord_decisions makes every operation: allowed, denied by each layer, and failing.
func TestRecord_decisions(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			w, all, denied := audited(t)
			ctx := asAdmin(t, w)
			reads := op.verb == "get" || op.verb == "list"
			for _, tc := range []struct {
				name, layer, reason string
				restrict            func(o *Options)
				occupied            bool
			}{
				{"allowlist", "allowlist", "Forbidden", func(o *Options) { o.Allowlist.Verbs = without(op.verb) }, false},
				{"limit", "limit", "TooManyRequests", func(*Options) {}, true},
				{"rbac", "apiserver", "Forbidden", func(*Options) {}, false},
			} {
				c := w.client(t, denied.of, tc.restrict)
				if tc.occupied {
					occupy(c)
				}
				if _, err := op.do(ctx, c, w.namespace); err == nil {
					t.Errorf("%s: it was not denied", tc.name)
				}
				want := []audit.Record{w.record(op, audit.DecisionDenied, tc.layer, tc.reason)}
				if diff := diffRecords(op, want, all.take()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tc.name, diff)
				}
				if diff := diffRecords(op, want, denied.take()); diff != "" {
					t.Errorf("%s, what the plugin's controller hears (-want +got):\n%s", tc.name, diff)
				}
			}

			w.Grant(t, w.namespace, op.verb+",create", op.group(), op.resource, strings.Split(op.resource, "/")[0])
			c := w.client(t, denied.of)
			var want []audit.Record
			if _, err := op.do(ctx, c, w.namespace); err != nil {
				t.Fatalf("allowed: %v", err)
			}
			if !reads {
				want = []audit.Record{w.record(op, audit.DecisionAllowed, "", "")}
			}
			got := all.take()
			if diff := diffRecords(op, want, got); diff != "" {
				t.Errorf("allowed (-want +got):\n%s", diff)
			}
			for _, r := range got {
				if !r.Time.Equal(w.clock.Now()) || r.Time.Location() != time.UTC {
					t.Errorf("its time is %s, want %s in UTC", r.Time, w.clock.Now())
				}
			}

			w.requests.Intercept(func(*http.Request) error { return http.ErrHandlerTimeout })
			if op.name == "event" { // an equal one would not be sent again
				c = w.client(t, denied.of)
			}
			if _, err := op.do(ctx, c, w.namespace); err == nil {
				t.Error("without a network: no error")
			}
			if !reads {
				want = []audit.Record{w.record(op, audit.DecisionError, "", audit.ReasonNoAnswer)}
			}
			if diff := diffRecords(op, want, all.take()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if n := len(denied.take()); n != 0 {
				t.Errorf("%d errors count as denials", n)
			}
		})
	}
}

// TestRecord_cachedRead checks a read that the review before the cache denies.
func TestRecord_cachedRead(t *testing.T) {
	t.Parallel()
	w, all, denied := audited(t)
	w.cache(t, items)
	c := w.client(t, denied.of, watching(items))
	op := operations()[0]
	_, _ = op.do(t.Context(), c, w.namespace)
	want := []audit.Record{w.record(op, audit.DecisionDenied, "rbac", "Forbidden")}
	if diff := diffRecords(op, want, all.take()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRecord_rate makes one more request than the plugin is allowed.
func TestRecord_rate(t *testing.T) {
	t.Parallel()
	w, all, denied := audited(t)
	c := w.client(t, denied.of, func(o *Options) { o.RequestsPerSecond, o.Burst = 1, 1 })
	op := operations()[0]
	for range 2 {
		_, _ = op.do(t.Context(), c, w.namespace)
	}
	want := []audit.Record{w.record(op, audit.DecisionDenied, "apiserver", "Forbidden"), w.record(op, audit.DecisionDenied, "rate", "TooManyRequests")}
	if diff := diffRecords(op, want, all.take()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRecord_nothingOfObjects has a guest put a secret into every field, in requests that are denied and that fail:
// only names are recorded, up to a maximum length.
func TestRecord_nothingOfObjects(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	w, all, denied := audited(t)
	w.Grant(t, w.namespace, "create,patch", items.Group, "items")
	c := w.client(t, denied.of)
	object := itemJSON(w.namespace, "another", `"spec":{"name":"`+secret+`","price":"`+secret+`"}`,
		`"labels":{"x":"not a label `+secret+`"},"annotations":{"x":"`+secret+`"}`)
	calls := []error{}
	do := func(_ []byte, err error) { calls = append(calls, err) }
	do(c.Create(t.Context(), abi.WriteRequest{Object: object}))
	do(c.Update(t.Context(), abi.WriteRequest{Object: object}))
	do(c.Patch(t.Context(), abi.PatchRequest{ObjectKey: itemKey(w.namespace, "thing"), PatchType: abi.PatchMerge, Patch: json.RawMessage(`{"spec":{"` + secret + `":7,"name":[]}}`)}))
	do(nil, c.Event(t.Context(), abi.EventRequest{ObjectKey: itemKey(w.namespace, "thing"), Type: "Normal", Reason: "Tested", Message: secret}))
	do(c.Patch(t.Context(), abi.PatchRequest{ObjectKey: itemKey(w.namespace, repeat("é", 10_000)), PatchType: abi.PatchMerge, Patch: json.RawMessage(`{}`)}))
	records := all.take()
	if len(records) != len(calls) {
		t.Errorf("%d records of %d calls", len(records), len(calls))
	}
	for i, r := range records {
		if calls[i] == nil {
			t.Errorf("call %d: no error; this test is about errors", i)
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(line), secret) || len(line) > 2*maxField+600 {
			t.Errorf("call %d is recorded as %s", i, line)
		}
	}
}

// TestRecord_unknownKind has no resource to record, only the kind.
func TestRecord_unknownKind(t *testing.T) {
	t.Parallel()
	w, all, denied := audited(t)
	c := w.client(t, denied.of)
	_ = c.Delete(t.Context(), abi.DeleteRequest{ObjectKey: abi.ObjectKey{APIVersion: "nothing.example.com/v1", Kind: "Nothing", Namespace: w.namespace, Name: "x"}})
	got := all.take()
	if len(got) != 1 || got[0].Resource != "Nothing" || got[0].Decision != audit.DecisionError || got[0].Reason != "BadRequest" {
		t.Errorf("got %+v", got)
	}
}

// counted counts decisions.
type counted struct {
	audit.NoMetrics

	decided map[string]int
}

func (c counted) Decided(plugin, decision, layer string) { c.decided[plugin+" "+decision+" "+layer]++ }

func TestRecord_metrics(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	counts := counted{decided: map[string]int{}}
	w.factory.Metrics = counts
	w.Grant(t, w.namespace, "delete", items.Group, "items")
	w.thing(t, w.namespace)
	c := w.client(t)
	for range 2 { // the second time, it is gone
		_ = c.Delete(t.Context(), abi.DeleteRequest{ObjectKey: itemKey(w.namespace, "thing")})
	}
	_ = c.Delete(t.Context(), abi.DeleteRequest{ObjectKey: itemKey("elsewhere", "thing")})
	plugin := w.namespace + "/tester"
	want := map[string]int{plugin + " allowed ": 1, plugin + " error ": 1, plugin + " denied allowlist": 1}
	if diff := cmp.Diff(want, counts.decided); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
