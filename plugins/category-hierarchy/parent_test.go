// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestCreateParent(t *testing.T) {
	w := newWorld(t, settings{autoCreateParents: true})
	w.put("saws", "tools")
	if result := w.reconcile("saws"); result != (k1s.Result{}) {
		t.Errorf("asks for %+v", result)
	}
	parent := w.get("tools")
	if parent.spec != (categorySpec{name: "tools"}) || len(parent.Labels) != 1 || parent.Labels["inventory.example.com/auto-created"] != "true" {
		t.Errorf("created %+v", parent)
	}
	events := w.host.Events()
	if len(events) != 1 || events[0].Key.Name != "saws" || events[0].Type != k1s.Normal ||
		events[0].Reason != "ParentCreated" || events[0].Message != `Parent category "tools" was created` {
		t.Errorf("events %+v", events)
	}
	w.want(map[string]stands{"saws": within(1, "tools/saws")})
	w.reconcile("tools")
	w.want(map[string]stands{"tools": within(0, "tools")})
	w.host.ClearRecords()
	w.reconcile("saws", "tools")
	if writes := w.written(); len(writes) != 0 {
		t.Errorf("the second time wrote %q", writes)
	}
}

func TestCreateParent_onlyByItsChild(t *testing.T) {
	w := newWorld(t, settings{autoCreateParents: true})
	w.put("saws", "tools")
	w.put("chainsaws", "saws")
	w.reconcile("chainsaws")
	w.want(map[string]stands{"chainsaws": without(reasonParentNotFound)})
	w.reconcile("saws")
	w.want(map[string]stands{"chainsaws": within(2, "tools/saws/chainsaws"), "saws": within(1, "tools/saws")})
}

func TestCreateParent_longNameIsCut(t *testing.T) {
	w := newWorld(t, settings{autoCreateParents: true})
	long := strings.Repeat("x", 60)
	w.put("saws", long)
	w.reconcile("saws")
	if got := w.get(long).spec.name; got != long[:50] {
		t.Errorf("spec.name has %d characters", len(got))
	}
}

func TestCreateParent_notForWhatIsBeingDeleted(t *testing.T) {
	w := newWorld(t, settings{autoCreateParents: true})
	w.host.AddJSON(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","metadata":{"name":"saws","namespace":"shop",
		"deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":["f"]},"spec":{"name":"Saws","parent":"tools"}}`)
	w.reconcile("saws")
	w.want(map[string]stands{"saws": without(reasonParentNotFound)})
}

func TestCreateParent_failures(t *testing.T) {
	for name, c := range map[string]struct {
		err    *k1s.Error
		result k1s.Result
		fails  bool
		stands stands
		detail string
	}{
		"forbidden": {
			k1s.NewError(k1s.ReasonForbidden, "no right to create"), k1s.Result{RequeueAfter: 30 * time.Second}, false,
			without(reasonParentNotFound), ": it could not be created: no right to create",
		},
		"invalid": {
			k1s.NewError(k1s.ReasonInvalid, "bad name"), k1s.Result{RequeueAfter: 30 * time.Second}, false,
			without(reasonParentNotFound), ": it could not be created: bad name",
		},
		"the cache is behind": {
			k1s.NewError(k1s.ReasonAlreadyExists, "is there"), k1s.Result{RequeueAfter: time.Second}, false,
			stands{depth: -1}, "",
		},
		"timeout": {k1s.NewError(k1s.ReasonTimeout, "late"), k1s.Result{}, true, stands{depth: -1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, settings{autoCreateParents: true})
			w.put("saws", "tools")
			w.host.FailNext(k1stest.VerbCreate, c.err)
			result, err := w.host.Reconcile(w.handler, key("saws"))
			if result != c.result || (err != nil) != c.fails {
				t.Errorf("got %+v, %v", result, err)
			}
			w.want(map[string]stands{"saws": c.stands})
			if got := w.message("saws"); c.detail != "" && !strings.HasSuffix(got, c.detail) {
				t.Errorf("message %q", got)
			}
			if events := w.host.Events(); len(events) != 0 {
				t.Errorf("events %+v", events)
			}
		})
	}
}
