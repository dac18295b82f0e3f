// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	testclock "k8s.io/utils/clock/testing"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/audit"
)

// leave consumes a limit except for n requests, which would take long otherwise.
func (w *testCluster) leave(l *rate.Limiter, n int) { l.AllowN(w.clock.Now(), l.Burst()-n) }

// A guest that reads one name after another, without permission for any, makes the operator send reviews in its own
// name. Cached decisions are still available above the limit.
func TestBounds_reviews(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.cache(t, items)
	c := w.client(t, watching(items))
	get := func(i int) error {
		_, err := c.Get(t.Context(), itemKey(w.namespace, fmt.Sprint("n-", i)))
		return err
	}
	wantDenial(t, get(0), metav1.StatusReasonForbidden, "rbac: ")
	w.leave(c.bounds.reviews, 2+3) // two were made: for all names, and for this one
	for i := range 4 {
		wantDenial(t, get(i), metav1.StatusReasonForbidden, "rbac: ")
	}
	w.requests.Reset()
	for i := range 100 {
		if i < 4 {
			wantDenial(t, get(i), metav1.StatusReasonForbidden, "rbac: ")
			continue
		}
		wantDenial(t, get(i), metav1.StatusReasonTooManyRequests, "rate: reads that need an access review")
	}
	w.requests.None(t)
	w.clock.Step(time.Second)
	wantDenial(t, get(99), metav1.StatusReasonForbidden, "rbac: ")
}

// lookups counts the kinds that are looked up.
type lookups struct {
	Kinds
	made atomic.Int64
}

// Resolve implements Kinds.
func (l *lookups) Resolve(ctx context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	l.made.Add(1)
	return l.Kinds.Resolve(ctx, gvk)
}

// If a guest requests one kind after another, lookups are denied after a while, but known kinds are still available. A
// kind that is not installed is not looked up again and again.
func TestBounds_lookups(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.Grant(t, w.namespace, "get", items.Group, "items")
	counted := &lookups{Kinds: w.factory.kinds}
	w.factory.kinds = counted
	c := w.client(t)
	get := func(kind string) error {
		_, err := c.Get(t.Context(), abi.ObjectKey{APIVersion: items.GroupVersion().String(), Kind: kind, Namespace: w.namespace, Name: "thing"})
		return err
	}
	if err := get("Item"); err != nil {
		t.Fatal(err)
	}
	for range 2 * lookupBurst {
		wantDenial(t, get("Nothing"), metav1.StatusReasonBadRequest, "is not installed")
	}
	if n := counted.made.Load(); n != 2 {
		t.Errorf("%d look-ups for two kinds", n)
	}
	for i := range lookupBurst - 2 {
		wantDenial(t, get(fmt.Sprint("Nothing", i)), metav1.StatusReasonBadRequest, "is not installed")
	}
	for i := range 100 {
		wantDenial(t, get(fmt.Sprint("Never", i)), metav1.StatusReasonTooManyRequests, "rate: kinds that are looked up")
	}
	if n := counted.made.Load(); n != lookupBurst {
		t.Errorf("%d look-ups, want %d", n, lookupBurst)
	}
	if err := get("Item"); err != nil {
		t.Errorf("a kind that there is: %v", err)
	}
	w.clock.Step(unknownFor + 1)
	wantDenial(t, get("Nothing"), metav1.StatusReasonBadRequest, "is not installed")
	if n := counted.made.Load(); n != lookupBurst+2 {
		t.Errorf("%d look-ups, want that a kind is looked up again after a while", n)
	}
}

// A guest that sends a different Event each time cannot fill etcd.
func TestBounds_events(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "create", "events.k8s.io", "events")
	c := w.client(t)
	event := func(i int) error {
		return c.Event(t.Context(), abi.EventRequest{ObjectKey: itemKey(w.namespace, "thing"), Type: "Normal", Reason: "Said", Message: fmt.Sprint(i)})
	}
	w.leave(c.bounds.events, 3)
	for i := range 3 {
		if err := event(i); err != nil {
			t.Fatal(err)
		}
	}
	w.requests.Reset()
	wantDenial(t, event(3), metav1.StatusReasonTooManyRequests, "rate: events")
	if err := event(0); err != nil {
		t.Errorf("one that equals another: %v", err)
	}
	w.requests.None(t)
	w.clock.Step(time.Second)
	if err := event(3); err != nil {
		t.Errorf("after a second: %v", err)
	}
}

// Requests without effect cost a guest nothing: it must not be able to fill the audit log with them, so that records of
// other plugins are lost. Its changes are still recorded, with the number of omitted records.
func TestBounds_records(t *testing.T) {
	t.Parallel()
	w, all, _ := audited(t)
	w.Grant(t, w.namespace, "get,delete", items.Group, "items")
	c := w.client(t)
	const tries = 3 * recordBurst
	for range tries {
		_, err := c.Get(t.Context(), itemKey("elsewhere", "thing"))
		wantDenial(t, err, metav1.StatusReasonForbidden, "allowlist: ")
	}
	if n := len(all.take()); n != recordBurst {
		t.Errorf("%d of %d are recorded, want %d", n, tries, recordBurst)
	}
	if err := c.Delete(t.Context(), abi.DeleteRequest{ObjectKey: itemKey(w.namespace, "thing")}); err != nil {
		t.Fatal(err)
	}
	records := all.take()
	if len(records) != 1 || records[0].Decision != audit.DecisionAllowed || records[0].Omitted != tries-recordBurst {
		t.Errorf("what it did is recorded as %+v, want %d omitted", records, tries-recordBurst)
	}
}

// Allowed HTTP requests cost a guest little: it must not be able to fill the audit log with them either. They do not
// use up the limit of records of requests that were not allowed, and the other way round.
func TestBounds_recordsOfHTTP(t *testing.T) {
	t.Parallel()
	port := serve(t, func(http.ResponseWriter, *http.Request) {})
	c, all := outside(t, open(), []string{"a.example" + port})
	now := testclock.NewFakePassiveClock(time.Now())
	c.bounds.clock = now
	send := func(host string) error {
		_, err := get(t, c, "http://"+host+port+"/")
		return err
	}
	leave := func(l *rate.Limiter, n int) { l.AllowN(now.Now(), l.Burst()-n) }
	leave(c.bounds.httpLines, 3)
	leave(c.bounds.lines, 2)
	for range 10 {
		if err := send("a.example"); err != nil {
			t.Fatal(err)
		}
	}
	if got := all.take(); len(got) != 3 || got[0].Decision != audit.DecisionAllowed {
		t.Errorf("%d of 10 allowed requests are recorded, want 3", len(got))
	}
	for range 10 {
		wantDenial(t, send("b.example"), metav1.StatusReasonForbidden, "allowlist: ")
	}
	if got := all.take(); len(got) != 2 || got[0].Omitted != 7 || got[1].Omitted != 0 {
		t.Errorf("of 10 denied requests are recorded %+v, want 2, the first with 7 omitted", got)
	}
	now.SetTime(now.Now().Add(time.Second))
	if err := send("a.example"); err != nil {
		t.Fatal(err)
	}
	if got := all.take(); len(got) != 1 || got[0].Omitted != 8 {
		t.Errorf("after a second: recorded %+v, want one with 8 omitted", got)
	}
}

// Changes through the API server are always recorded.
func TestBounds_recordsOfWrites(t *testing.T) {
	t.Parallel()
	w, all, _ := audited(t)
	w.Grant(t, w.namespace, "patch", items.Group, "items")
	c := w.client(t)
	w.leave(c.bounds.lines, 0)
	w.leave(c.bounds.httpLines, 0)
	for range 3 {
		patch := abi.PatchRequest{ObjectKey: itemKey(w.namespace, "thing"), PatchType: abi.PatchMerge, Patch: []byte(`{}`)}
		if _, err := c.Patch(t.Context(), patch); err != nil {
			t.Fatal(err)
		}
	}
	if got := all.take(); len(got) != 3 || got[2].Decision != audit.DecisionAllowed || got[2].Omitted != 0 {
		t.Errorf("of 3 writes are recorded %+v", got)
	}
}

// Long selectors are rejected: the operator matches a selector, however long that takes.
func TestBounds_selectors(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	c := w.client(t)
	long := strings.Repeat("x", maxSelector)
	for name, change := range map[string]func(*abi.ListRequest){
		"labelSelector": func(r *abi.ListRequest) { r.LabelSelector = "a in (" + long + ")" },
		"fieldSelector": func(r *abi.ListRequest) { r.FieldSelector = "metadata.name=" + long },
		"continue":      func(r *abi.ListRequest) { r.Continue = long + "x" },
	} {
		req := abi.ListRequest{APIVersion: items.GroupVersion().String(), Kind: items.Kind, Namespace: w.namespace}
		change(&req)
		_, err := c.List(t.Context(), req)
		wantDenial(t, err, metav1.StatusReasonBadRequest, name+" has ", "more than the 16384 allowed")
	}
	w.requests.None(t)
}

// Requests that are rejected before their resource is known are also recorded.
func TestRecord_malformed(t *testing.T) {
	t.Parallel()
	w, all, _ := audited(t)
	c := w.client(t)
	key := itemKey(w.namespace, "")
	for name, do := range map[string]func() error{
		"get a path": func() error { _, err := c.Get(t.Context(), itemKey(w.namespace, "../x")); return err },
		"get":        func() error { _, err := c.Get(t.Context(), key); return err },
		"list": func() error {
			_, err := c.List(t.Context(), abi.ListRequest{APIVersion: key.APIVersion, Kind: key.Kind, LabelSelector: "&"})
			return err
		},
		"delete all": func() error { return c.Delete(t.Context(), abi.DeleteRequest{ObjectKey: key}) },
		"patch": func() error {
			_, err := c.Patch(t.Context(), abi.PatchRequest{ObjectKey: key, PatchType: "merge", Patch: []byte("{}")})
			return err
		},
		"update": func() error {
			_, err := c.Update(t.Context(), abi.WriteRequest{Object: itemJSON(w.namespace, "", `"spec":{}`)})
			return err
		},
		"event": func() error { return c.Event(t.Context(), abi.EventRequest{ObjectKey: key}) },
	} {
		wantDenial(t, do(), metav1.StatusReasonBadRequest)
		records := all.take()
		if len(records) != 1 || records[0].Decision != audit.DecisionError || records[0].Reason != "BadRequest" {
			t.Errorf("%s: recorded %+v", name, records)
		}
	}
}
