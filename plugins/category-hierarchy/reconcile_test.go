// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestReconcile_placesByAncestors(t *testing.T) {
	w := newWorld(t, settings{})
	w.put("tools", "")
	w.put("saws", "tools")
	w.put("chainsaws", "saws")
	// The youngest category is first: no result depends on the status of an ancestor.
	for _, name := range []string{"chainsaws", "saws", "tools"} {
		if result := w.reconcile(name); result != (k1s.Result{}) {
			t.Errorf("%s asks for %+v", name, result)
		}
	}
	w.want(map[string]stands{
		"tools": within(0, "tools"), "saws": within(1, "tools/saws"), "chainsaws": within(2, "tools/saws/chainsaws"),
	})
	if events := w.host.Events(); len(events) != 0 {
		t.Errorf("events %+v", events)
	}
	w.host.ClearRecords()
	w.reconcile("tools", "saws", "chainsaws")
	for _, call := range w.host.Calls() {
		if call.Verb != k1stest.VerbGet {
			t.Errorf("with everything right there was a %s %s", call.Verb, call.Key)
		}
	}
}

func TestReconcile_appliesOnlyItsOwnFields(t *testing.T) {
	w := newWorld(t, settings{})
	w.host.AddJSON(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category",
		"metadata":{"name":"tools","namespace":"shop","labels":{"a":"b"},"finalizers":["f"]},
		"spec":{"name":"Tools","description":"d","tags":["t"]},
		"status":{"itemCount":3,"observedGeneration":1,"conditions":[
			{"type":"Ready","status":"True","reason":"Ready","message":"","lastTransitionTime":"2025-01-01T00:00:00Z"}]}}`)
	w.reconcile("tools")
	const want json.Raw = `{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","namespace":"shop","name":"tools",` +
		`"patchType":"apply","patch":{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category",` +
		`"metadata":{"name":"tools","namespace":"shop"},"status":{"conditions":[{"type":"DepthWithinLimit","status":"True",` +
		`"lastTransitionTime":"2026-01-01T00:00:00Z","reason":"WithinLimit",` +
		`"message":"The depth is within the limit of 10 (max_depth)"}],"depth":0,"path":"tools"}},"force":true}`
	writes := w.host.Writes()
	if len(writes) != 1 || writes[0].Verb != k1stest.VerbPatchStatus || writes[0].Request != want {
		t.Errorf("got  %+v\nwant %s", writes, want)
	}
	o := w.host.Object((*category)(nil).TypeRef(), key("tools"))
	if count, _ := o.GetInt("status", "itemCount"); count != 3 || !k1s.IsConditionTrue(o.Conditions(), "Ready") {
		t.Errorf("the others' fields became %s", o.Raw())
	}
}

func TestReconcile_parentNotFound(t *testing.T) {
	w := newWorld(t, settings{})
	w.put("tools", "")
	w.put("saws", "tools")
	w.put("chainsaws", "saws")
	w.reconcile("tools", "saws", "chainsaws")

	w.remove("tools")
	if result := w.reconcile("saws"); result.RequeueAfter != 30*time.Second {
		t.Errorf("asks for %+v", result)
	}
	w.want(map[string]stands{"saws": without(reasonParentNotFound), "chainsaws": without(reasonParentNotFound)})
	const message = `The parent "tools" of category "saws" does not exist`
	if got := w.message("saws"); got != message {
		t.Errorf("message %q", got)
	}
	if got := w.message("chainsaws"); got != message {
		t.Errorf("the child's message %q", got)
	}
	w.host.ClearRecords()
	w.reconcile("chainsaws", "saws")
	if writes := w.written(); len(writes) != 0 {
		t.Errorf("the second time wrote %q", writes)
	}

	w.put("tools", "")
	w.reconcile("tools")
	w.want(map[string]stands{
		"tools": within(0, "tools"), "saws": within(1, "tools/saws"), "chainsaws": within(2, "tools/saws/chainsaws"),
	})
}

func TestReconcile_cycle(t *testing.T) {
	for name, c := range map[string]struct {
		parents map[string]string
		message string
	}{
		"of one":   {map[string]string{"a": "a"}, "a → a"},
		"of two":   {map[string]string{"a": "b", "b": "a"}, "a → b → a"},
		"of three": {map[string]string{"c": "a", "a": "b", "b": "c"}, "a → b → c → a"},
		"above":    {map[string]string{"x": "y", "y": "b", "b": "a", "a": "b"}, "a → b → a"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, settings{autoCreateParents: true})
			for child, parent := range c.parents {
				w.put(child, parent)
			}
			for child := range c.parents {
				if result := w.reconcile(child); result != (k1s.Result{}) {
					t.Errorf("%s asks for %+v", child, result)
				}
			}
			for child := range c.parents {
				w.want(map[string]stands{child: without(reasonCycle)})
				if got := w.message(child); got != "Circle of parents: "+c.message {
					t.Errorf("%s: message %q", child, got)
				}
			}
			w.host.ClearRecords()
			for child := range c.parents {
				w.reconcile(child)
			}
			if writes := w.written(); len(writes) != 0 {
				t.Errorf("the second time wrote %q", writes)
			}
		})
	}
}

func TestReconcile_cycleIsMadeAndBroken(t *testing.T) {
	w := newWorld(t, settings{})
	w.put("a", "")
	w.put("b", "a")
	w.put("c", "b")
	w.put("below", "c")
	w.reconcile("a", "b", "c", "below")
	w.put("a", "c")
	w.reconcile("a")
	for _, name := range []string{"a", "b", "c", "below"} {
		w.want(map[string]stands{name: without(reasonCycle)})
	}
	w.put("c", "")
	w.reconcile("c")
	w.want(map[string]stands{
		"c": within(0, "c"), "a": within(1, "c/a"), "b": within(2, "c/a/b"), "below": within(1, "c/below"),
	})
}

func TestReconcile_tooDeep(t *testing.T) {
	w := newWorld(t, settings{maxDepth: 1})
	w.put("a", "")
	w.put("b", "a")
	w.put("c", "b")
	w.reconcile("a", "b", "c", "c")
	deep := stands{2, "a/b/c", k1s.ConditionFalse, reasonTooDeep}
	w.want(map[string]stands{"b": within(1, "a/b"), "c": deep})
	const message = "Depth 2 is above the limit of 1 (max_depth)"
	events := w.host.Events()
	if len(events) != 1 || events[0].Key.Name != "c" || events[0].Type != k1s.Warning ||
		events[0].Reason != "TooDeep" || events[0].Message != message || events[0].UID == "" {
		t.Errorf("events %+v", events)
	}
	if got := w.message("c"); got != message {
		t.Errorf("message %q", got)
	}

	// Becoming even deeper is not a transition. Coming back and becoming too deep again is one.
	w.host.ClearRecords()
	w.put("top", "")
	w.put("a", "top")
	w.reconcile("a")
	w.want(map[string]stands{"b": {2, "top/a/b", k1s.ConditionFalse, reasonTooDeep}, "c": {3, "top/a/b/c", k1s.ConditionFalse, reasonTooDeep}})
	if events := w.host.Events(); len(events) != 1 || events[0].Key.Name != "b" {
		t.Errorf("events %+v, want one for b", events)
	}
	w.put("c", "top")
	w.reconcile("c")
	w.want(map[string]stands{"c": within(1, "top/c")})
	w.host.ClearRecords()
	w.put("c", "b")
	w.reconcile("c")
	if events := w.host.Events(); len(events) != 1 || events[0].Key.Name != "c" {
		t.Errorf("events %+v, want one for c", events)
	}
}

func TestReconcile_limitChanges(t *testing.T) {
	w := newWorld(t, settings{maxDepth: 1})
	w.put("a", "")
	w.put("b", "a")
	w.reconcile("a", "b")
	before := k1s.FindCondition(w.get("b").status.conditions, conditionType).LastTransitionTime
	w.host.Advance(time.Hour)
	w.settings.maxDepth = 5
	w.reconcile("b")
	after := k1s.FindCondition(w.get("b").status.conditions, conditionType)
	if after.LastTransitionTime != before || after.Message != "The depth is within the limit of 5 (max_depth)" {
		t.Errorf("condition %+v, the time was %s", after, before)
	}
}

func TestReconcile_pathLongerThanTheSchemaAllows(t *testing.T) {
	w := newWorld(t, settings{maxDepth: 100})
	parent := ""
	var names []string
	for i := range 18 {
		name := string(rune('a'+i)) + strings.Repeat("x", 239) // 240 and a slash
		w.put(name, parent)
		names, parent = append(names, name), name
	}
	slices.Reverse(names)
	w.reconcile(names...)
	// 17 names have 4096 characters, 18 have 4337.
	if got := w.stands(names[1]); got.depth != 16 || len(got.path) != 4096 || got.status != k1s.ConditionTrue {
		t.Errorf("17 names: depth %d, %d characters", got.depth, len(got.path))
	}
	w.want(map[string]stands{names[0]: without(reasonTooDeep)})
	if got := w.message(names[0]); got != "The path is longer than 4096 characters" {
		t.Errorf("message %q", got)
	}
}
