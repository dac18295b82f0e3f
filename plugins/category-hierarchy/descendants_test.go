// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

// family returns a hierarchy of two roots, with all statuses up to date.
func family(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, settings{})
	for _, pair := range [][2]string{
		{"a", ""}, {"b", "a"}, {"c", "b"}, {"d", "c"}, {"e", "b"}, {"other", ""}, {"o", "other"},
	} {
		w.put(pair[0], pair[1])
		w.reconcile(pair[0])
	}
	w.host.ClearRecords()
	return w
}

func TestDescendants_followFromTheBottomUp(t *testing.T) {
	w := family(t)
	w.put("b", "other")
	w.reconcile("b")
	w.want(map[string]stands{
		"b": within(1, "other/b"), "c": within(2, "other/b/c"), "d": within(3, "other/b/c/d"), "e": within(2, "other/b/e"),
		"a": within(0, "a"), "o": within(1, "other/o"),
	})
	written := w.written()
	if slices.Sort(written[1:3]); !slices.Equal(written, []string{"d", "c", "e", "b"}) {
		t.Errorf("written in the order %q", written)
	}
	w.reconcile("a", "b", "c", "d", "e", "other", "o")
	if written := w.written(); len(written) != 0 {
		t.Errorf("then %q were written again", written)
	}
}

func TestDescendants_failureLeavesNobodyBehind(t *testing.T) {
	for _, failing := range []string{"d", "c", "e", "b"} {
		t.Run(failing, func(t *testing.T) {
			w := family(t)
			w.put("b", "other")
			failed := false
			w.host.Intercept(func(c k1stest.Call) error {
				if failed || c.Verb != k1stest.VerbPatchStatus || c.Key.Name != failing {
					return nil
				}
				failed = true
				return k1s.NewError(k1s.ReasonTimeout, "late")
			})
			if _, err := w.host.Reconcile(w.handler, key("b")); !k1s.IsTimeout(err) {
				t.Fatalf("error %v", err)
			}
			w.reconcile("b")
			w.want(map[string]stands{
				"b": within(1, "other/b"), "c": within(2, "other/b/c"), "d": within(3, "other/b/c/d"), "e": within(2, "other/b/e"),
			})
		})
	}
}

func TestDescendants_deletionMakesOrphans(t *testing.T) {
	w := family(t)
	w.remove("b")
	if result := w.reconcile("b"); result != (k1s.Result{}) {
		t.Errorf("asks for %+v", result)
	}
	for _, name := range []string{"c", "d", "e"} {
		w.want(map[string]stands{name: without(reasonParentNotFound)})
	}
	if got := w.message("d"); got != `The parent "b" of category "c" does not exist` {
		t.Errorf("message %q", got)
	}
	w.want(map[string]stands{"a": within(0, "a"), "o": within(1, "other/o")})
	w.host.ClearRecords()
	w.reconcile("b", "c", "d", "e")
	if written := w.written(); len(written) != 0 {
		t.Errorf("then %q were written again", written)
	}
}

func TestDescendants_deletedMeanwhile(t *testing.T) {
	w := family(t)
	w.put("b", "other")
	w.host.Intercept(func(c k1stest.Call) error {
		if c.Verb == k1stest.VerbPatchStatus && c.Key.Name == "d" {
			return k1s.NewError(k1s.ReasonNotFound, "gone")
		}
		return nil
	})
	w.reconcile("b")
	w.want(map[string]stands{"b": within(1, "other/b"), "c": within(2, "other/b/c")})
}

func TestDescendants_manyTakeSeveralCalls(t *testing.T) {
	w := newWorld(t, settings{})
	w.put("a", "")
	w.put("b", "")
	const many = 2*maxWrites + 50
	for i := range many {
		w.put(fmt.Sprintf("child-%03d", i), "a")
	}
	w.put("a", "b")
	for call, want := range []int{maxWrites, maxWrites, 50 + 1} {
		w.host.ClearRecords()
		result := w.reconcile("a")
		if got := len(w.host.Writes()); got != want {
			t.Errorf("call %d writes %d, want %d", call, got, want)
		}
		if more := result.RequeueAfter == 100*time.Millisecond; more != (call < 2) {
			t.Errorf("call %d asks for %+v", call, result)
		}
	}
	w.want(map[string]stands{"a": within(1, "b/a"), "child-000": within(2, "b/a/child-000"), "child-249": within(2, "b/a/child-249")})
}

func TestDescendants_errorsOfTheList(t *testing.T) {
	w := family(t)
	w.put("b", "other")
	w.host.FailNext(k1stest.VerbList, errors.New("no"))
	if _, err := w.host.Reconcile(w.handler, key("b")); err == nil {
		t.Error("no error")
	}
	w.host.FailNext(k1stest.VerbList, errors.New("no"))
	if _, err := w.host.Reconcile(w.handler, key("gone")); err == nil {
		t.Error("no error for one that is gone")
	}
	w.host.FailNext(k1stest.VerbGet, errors.New("no"))
	if _, err := w.host.Reconcile(w.handler, key("b")); err == nil {
		t.Error("no error of the get")
	}
	w.want(map[string]stands{"b": within(1, "a/b")})
}
