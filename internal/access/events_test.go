// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/text"
)

// eventsIn returns the Events of a namespace that the plugin created.
func (w *testCluster) eventsIn(t *testing.T, namespace string) []eventsv1.Event {
	t.Helper()
	var list eventsv1.EventList
	w.List(t, &list, client.InNamespace(namespace))
	var own []eventsv1.Event
	for _, e := range list.Items {
		if e.ReportingInstance == "k1s/"+w.namespace+"/tester" {
			own = append(own, e)
		}
	}
	return own
}

func (w *testCluster) tested(change ...func(*abi.EventRequest)) abi.EventRequest {
	req := abi.EventRequest{ObjectKey: itemKey(w.namespace, "thing"), UID: "u-1", Type: "Normal", Reason: "Tested", Message: "it was tested"}
	for _, f := range change {
		f(&req)
	}
	return req
}

// TestRestrictedClient_event_content reads an Event back.
func TestRestrictedClient_event_content(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "create", "events.k8s.io", "events")
	if err := w.client(t).Event(t.Context(), w.tested(func(r *abi.EventRequest) { r.Type = "Warning" })); err != nil {
		t.Fatal(err)
	}
	events := w.eventsIn(t, w.namespace)
	if len(events) != 1 {
		t.Fatalf("got %d events, want 1", len(events))
	}
	e := events[0]
	got := []string{e.Type, e.Reason, e.Action, e.Note, e.ReportingController, e.Regarding.Kind, e.Regarding.APIVersion, e.Regarding.Name, e.Regarding.Namespace, string(e.Regarding.UID)}
	want := []string{"Warning", "Tested", "Reconcile", "it was tested", "plugins.k1s.io/tester", "Item", "inventory.example.com/v1alpha1", "thing", w.namespace, "u-1"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if delta := e.EventTime.Sub(w.clock.Now()).Abs(); delta > time.Second {
		t.Errorf("eventTime is %s, want the clock's %s", e.EventTime, w.clock.Now())
	}
}

// TestRestrictedClient_event_deduplicated sends equal and different Events within and after five minutes.
func TestRestrictedClient_event_deduplicated(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "create", "events.k8s.io", "events")
	c := w.client(t)
	steps := []struct {
		name  string
		wait  time.Duration
		event abi.EventRequest
		sent  int // total number of Events afterwards
	}{
		{"first", 0, w.tested(), 1},
		{"equal", 0, w.tested(), 1},
		{"another message", 0, w.tested(func(r *abi.EventRequest) { r.Message = "again" }), 2},
		{"another reason", 0, w.tested(func(r *abi.EventRequest) { r.Reason = "Retested" }), 3},
		{"another type", 0, w.tested(func(r *abi.EventRequest) { r.Type = "Warning" }), 4},
		{"another action", 0, w.tested(func(r *abi.EventRequest) { r.Action = "Probe" }), 5},
		{"another object", 0, w.tested(func(r *abi.EventRequest) { r.Name = "other" }), 6},
		{"the next object of that name", 0, w.tested(func(r *abi.EventRequest) { r.UID = "u-2" }), 7},
		{"the usual action by name", 0, w.tested(func(r *abi.EventRequest) { r.Action = "Reconcile" }), 7},
		{"equal, just before five minutes", 5*time.Minute - time.Second, w.tested(), 7},
		{"equal, after five minutes", 2 * time.Second, w.tested(), 8},
		{"equal again", 0, w.tested(), 8},
	}
	for _, s := range steps {
		w.clock.Step(s.wait)
		if err := c.Event(t.Context(), s.event); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := len(w.eventsIn(t, w.namespace)); got != s.sent {
			t.Fatalf("%s: %d events in all, want %d", s.name, got, s.sent)
		}
	}
}

// TestRestrictedClient_event_denied returns an error to the guest each time, and creates the Event once the permission
// is granted.
func TestRestrictedClient_event_denied(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	c := w.client(t)
	for range 2 {
		wantDenial(t, c.Event(t.Context(), w.tested()), metav1.StatusReasonForbidden, `cannot create resource "events" in API group "events.k8s.io"`)
	}
	w.Grant(t, w.namespace, "create", "events.k8s.io", "events")
	w.eventually(t, "the event is sent", func() error { return c.Event(t.Context(), w.tested()) })
	if got := len(w.eventsIn(t, w.namespace)); got != 1 {
		t.Errorf("got %d events, want 1", got)
	}
}

// TestRestrictedClient_event_accepted sends Events that the API server could reject.
func TestRestrictedClient_event_accepted(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, "", "create", "events.k8s.io", "events")
	c := w.client(t, allowAll)
	cases := []struct {
		name   string
		change func(*abi.EventRequest)
	}{
		{"note of just the longest", func(r *abi.EventRequest) { r.Message = repeat("n", 1024) }},
		{"note one too long", func(r *abi.EventRequest) { r.Message = repeat("n", 1025) }},
		{"note far too long", func(r *abi.EventRequest) { r.Message = repeat("ü", 100_000) }},
		{"no note", func(r *abi.EventRequest) { r.Message = "" }},
		{"longest reason", func(r *abi.EventRequest) { r.Reason = repeat("R", 128) }},
		{"object name with colons", func(r *abi.EventRequest) { r.Name = "system:controller:thing" }},
		{"object name with capitals", func(r *abi.EventRequest) { r.Name = "Thing" }},
		{"object name with dots", func(r *abi.EventRequest) { r.Name = "a.b.c" }},
		{"object name that ends oddly", func(r *abi.EventRequest) { r.Name = "-.-" }},
		{"longest object name", func(r *abi.EventRequest) { r.Name = repeat("n", 253) }},
		{"cluster-scoped object", func(r *abi.EventRequest) { r.APIVersion, r.Kind, r.Namespace = "v1", "Node", "" }},
		{"kind that is not installed", func(r *abi.EventRequest) { r.APIVersion = "nothing.example.com/v1" }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if err := c.Event(t.Context(), w.tested(tc.change)); err != nil {
				t.Error(err)
			}
		})
	}
	for _, e := range append(w.eventsIn(t, w.namespace), w.eventsIn(t, "default")...) {
		if len(e.Note) > 1024 || !utf8.ValidString(e.Note) {
			t.Errorf("note of %d bytes: %q", len(e.Note), e.Note)
		}
	}
	if got := len(w.eventsIn(t, "default")); got != 1 {
		t.Errorf("%d events about cluster-scoped objects in the namespace default, want 1", got)
	}
}

// TestRestrictedClient_event_bad checks that invalid Events are rejected without a request to the API server.
func TestRestrictedClient_event_bad(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	c := w.client(t)
	for name, tc := range map[string]struct {
		change func(*abi.EventRequest)
		part   string
	}{
		"type":               {func(r *abi.EventRequest) { r.Type = "Error" }, `type "Error": want Normal or Warning`},
		"no type":            {func(r *abi.EventRequest) { r.Type = "" }, "type"},
		"no reason":          {func(r *abi.EventRequest) { r.Reason = "" }, "reason"},
		"reason of words":    {func(r *abi.EventRequest) { r.Reason = "Was tested" }, `reason "Was tested": want one CamelCase word`},
		"reason in lower":    {func(r *abi.EventRequest) { r.Reason = "tested" }, "reason"},
		"reason too long":    {func(r *abi.EventRequest) { r.Reason = repeat("R", 129) }, "reason"},
		"reason with a line": {func(r *abi.EventRequest) { r.Reason = "Tested\n" }, "reason"},
		"action of words":    {func(r *abi.EventRequest) { r.Action = "do it" }, "action"},
		"no name":            {func(r *abi.EventRequest) { r.Name = "" }, "name is empty"},
		"no kind":            {func(r *abi.EventRequest) { r.Kind = "" }, "kind is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			wantDenial(t, c.Event(t.Context(), w.tested(tc.change)), metav1.StatusReasonBadRequest, tc.part)
		})
	}
	w.requests.None(t)
}

func TestEventName_valid(t *testing.T) {
	t.Parallel()
	for _, object := range []string{"thing", "a.b", "system:node:x", "ÄÖÜ", "", "...", "-", repeat("x", 5000), repeat("ü", 300), "a\x00b", "\xff"} {
		name := eventName(object)
		if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
			t.Errorf("%q gives %q: %s", object, name, problems)
		}
		if strings.EqualFold(name, eventName(object)) {
			t.Errorf("%q gives the same name twice: %q", object, name)
		}
	}
}

func TestTruncateNote(t *testing.T) {
	t.Parallel()
	for _, note := range []string{"", "short", repeat("n", 1024), repeat("n", 1025), repeat("日", 400), repeat("x", 1020) + "日本語"} {
		got := text.Truncate(note, maxNote)
		switch {
		case len(note) <= 1024 && got != note:
			t.Errorf("%q was changed to %q", note, got)
		case len(note) > 1024 && (len(got) > 1024 || !utf8.ValidString(got) || !strings.HasPrefix(note, strings.TrimSuffix(got, "…"))):
			t.Errorf("%d bytes became %d: %q", len(note), len(got), got)
		}
	}
}
