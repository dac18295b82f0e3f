// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

const namespace = "shop"

// world is a cluster with categories and the plugin.
type world struct {
	*testing.T
	host     *k1stest.Host
	settings *settings
	handler  k1s.Handler
}

func newWorld(t *testing.T, s settings) *world {
	t.Helper()
	if s.maxDepth == 0 {
		s.maxDepth = 10
	}
	return &world{T: t, host: k1stest.New(t), settings: &s, handler: k1s.For(&reconciler{settings: &s})}
}

func key(name string) k1s.Key { return k1s.Key{Namespace: namespace, Name: name} }

// put creates a category, or changes the parent of an existing one. Its status stays.
func (w *world) put(name, parent string) {
	w.Helper()
	ref := (*category)(nil).TypeRef()
	o := w.host.Object(ref, key(name))
	if o == nil {
		o = k1s.NewObject(ref.APIVersion, ref.Kind, key(name))
	}
	if err := o.SetString("The "+name, "spec", "name"); err != nil {
		w.Fatal(err)
	}
	if err := o.SetString(parent, "spec", "parent"); err != nil {
		w.Fatal(err)
	}
	w.host.Add(o)
}

func (w *world) remove(name string) { w.host.Remove((*category)(nil).TypeRef(), key(name)) }

// get returns the stored category.
func (w *world) get(name string) *category {
	w.Helper()
	c := new(category)
	w.host.Load(key(name), c)
	return c
}

// reconcile reconciles categories, which must succeed. It returns the last result.
func (w *world) reconcile(names ...string) (result k1s.Result) {
	w.Helper()
	for _, name := range names {
		var err error
		if result, err = w.host.Reconcile(w.handler, key(name)); err != nil {
			w.Fatalf("reconcile %s: %v", name, err)
		}
	}
	return result
}

// stands has the contents of a status.
type stands struct {
	depth  int32 // -1 means absent
	path   string
	status k1s.ConditionStatus
	reason string
}

func (w *world) stands(name string) stands {
	w.Helper()
	c := w.get(name)
	s := stands{depth: -1, path: c.status.path}
	if c.status.depth != nil {
		s.depth = *c.status.depth
	}
	if cond := k1s.FindCondition(c.status.conditions, conditionType); cond != nil {
		s.status, s.reason = cond.Status, cond.Reason
	}
	return s
}

// within returns the status of a category within the depth limit.
func within(depth int32, path string) stands {
	return stands{depth, path, k1s.ConditionTrue, reasonWithinLimit}
}

// without returns the status of a category without a place.
func without(reason string) stands { return stands{-1, "", k1s.ConditionFalse, reason} }

// want checks the status of categories.
func (w *world) want(all map[string]stands) {
	w.Helper()
	for name, want := range all {
		if got := w.stands(name); got != want {
			w.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

// message returns the message of a category's condition.
func (w *world) message(name string) string {
	w.Helper()
	if c := k1s.FindCondition(w.get(name).status.conditions, conditionType); c != nil {
		return c.Message
	}
	return ""
}

// written returns the names of the categories that were written, in order, and clears the record.
func (w *world) written() []string {
	var names []string
	for _, call := range w.host.Writes() {
		names = append(names, call.Key.Name)
	}
	w.host.ClearRecords()
	return names
}
