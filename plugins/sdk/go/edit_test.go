// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

// withGadgets returns a host with a Widget that has more fields than its type.
func withGadgets(t *testing.T) *k1stest.Host {
	t.Helper()
	host := k1stest.New(t)
	host.AddJSON(`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a","namespace":"shop"},"spec":{"size":1,"owner":"jo"}}`)
	return host
}

func stored(host *k1stest.Host) *k1s.Object {
	return host.Object(new(Widget).TypeRef(), k1s.Key{Namespace: "shop", Name: "a"})
}

// Update is different: fields that the type does not have are removed.
func TestEdit_keepsWhatTheTypeDoesNotHave(t *testing.T) {
	host := withGadgets(t)
	ctx := context.Background()
	w := widget("a", 7) // the value is discarded
	err := k1s.Edit(ctx, w, func(w *Widget) error {
		w.Size++
		w.Labels = map[string]string{"seen": "true"}
		return nil
	})
	if err != nil || w.Size != 2 || w.Generation != 2 || w.Labels["seen"] != "true" {
		t.Fatalf("edited to %+v, %v", w, err)
	}
	if owner, _ := stored(host).GetString("spec", "owner"); owner != "jo" {
		t.Errorf("stored %s", stored(host).Raw())
	}
	// The result can be written again without another read.
	w.Size = 3
	if err := k1s.Update(ctx, w); err != nil {
		t.Fatal(err)
	}
	if owner, ok := stored(host).GetString("spec", "owner"); ok {
		t.Errorf("Update keeps the owner %q", owner)
	}
}

func TestEdit_ofAnObjectOfAnyKind(t *testing.T) {
	host := withGadgets(t)
	o := k1s.NewObject("example.com/v1", "Widget", k1s.Key{Namespace: "shop", Name: "a"})
	err := k1s.Edit(context.Background(), o, func(o *k1s.Object) error { return o.Remove("spec", "size") })
	if spec, _ := stored(host).GetRaw("spec"); err != nil || spec != `{"owner":"jo"}` {
		t.Errorf("the spec is %s, %v", spec, err)
	}
}

func TestEdit_writesNothing(t *testing.T) {
	sentinel := errors.New("not today")
	for name, c := range map[string]struct {
		name string
		f    func(*Widget) error
		want func(error) bool
	}{
		"without a change":     {"a", func(*Widget) error { return nil }, func(err error) bool { return err == nil }},
		"after an error":       {"a", func(w *Widget) error { w.Size = 2; return sentinel }, func(err error) bool { return errors.Is(err, sentinel) }},
		"of what is not there": {"b", func(*Widget) error { panic("called") }, k1s.IsNotFound},
		"under another name": {"a", func(w *Widget) error { w.Name = "b"; return nil }, func(err error) bool {
			return err != nil && err.Error() == `edit Widget "shop/a": kind, namespace and name cannot be changed`
		}},
		"that would lose a field": {"a", func(w *Widget) error { w.Size = 0; return nil }, func(err error) bool {
			return k1s.ReasonOf(err) == k1s.ReasonInternalError && strings.HasPrefix(err.Error(), `edit Widget "shop/a": spec: left out`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			host := withGadgets(t)
			if err := k1s.Edit(context.Background(), widget(c.name, 0), c.f); !c.want(err) {
				t.Errorf("error %v", err)
			}
			if writes := host.Writes(); len(writes) > 0 {
				t.Errorf("written: %+v", writes)
			}
		})
	}
}

// If another client writes in between, the function is called again with the new object.
func TestEdit_conflict(t *testing.T) {
	host := withGadgets(t)
	ctx := context.Background()
	calls := 0
	err := k1s.Edit(ctx, widget("a", 0), func(w *Widget) error {
		if calls++; calls < 3 {
			patch := json.Raw(fmt.Sprintf(`{"spec":{"owner":"jane%d","size":%d}}`, calls, calls*10))
			if err := k1s.Patch(ctx, widget("a", 0), k1s.MergePatch, patch); err != nil {
				return err
			}
		}
		w.Size++
		return nil
	})
	if spec, _ := stored(host).GetRaw("spec"); err != nil || calls != 3 || spec != `{"owner":"jane2","size":21}` {
		t.Errorf("after %d calls the spec is %s, %v", calls, spec, err)
	}
}

// The optimistic lock does not depend on what the function does to the resource version.
func TestEdit_conflictWithoutAVersion(t *testing.T) {
	withGadgets(t)
	ctx := context.Background()
	calls := 0
	err := k1s.Edit(ctx, widget("a", 0), func(w *Widget) error {
		if calls++; calls == 1 {
			if err := k1s.Patch(ctx, widget("a", 0), k1s.MergePatch, json.Raw(`{"spec":{"size":5}}`)); err != nil {
				return err
			}
		}
		w.Size, w.ResourceVersion = w.Size+1, ""
		return nil
	})
	if err != nil || calls != 2 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestEdit_givesUp(t *testing.T) {
	conflict := k1s.NewError(k1s.ReasonConflict, "changed")
	for name, c := range map[string]struct {
		moves bool // whether each read returns another version
		reads int
	}{
		"while the cache is behind":          {false, 2},
		"while others write again and again": {true, 5},
	} {
		t.Run(name, func(t *testing.T) {
			host := withGadgets(t)
			host.Intercept(func(call k1stest.Call) error {
				if call.Verb == k1stest.VerbUpdate {
					return conflict
				}
				return nil
			})
			ctx := context.Background()
			n := 0
			err := k1s.Edit(ctx, widget("a", 0), func(w *Widget) error {
				n++
				w.Size++
				if !c.moves {
					return nil
				}
				return k1s.Patch(ctx, widget("a", 0), k1s.MergePatch, json.Raw(fmt.Sprintf(`{"metadata":{"labels":{"n":"%d"}}}`, n)))
			})
			reads := 0
			for _, call := range host.Calls() {
				if call.Verb == k1stest.VerbGet {
					reads++
				}
			}
			if !k1s.IsConflict(err) || reads != c.reads {
				t.Errorf("%d reads, %v", reads, err)
			}
		})
	}
}
