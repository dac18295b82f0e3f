// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_finalization_killed checks that an operator which is killed repeatedly during finalization does not
// miss an object: every deleted object was finalized completely, and is gone.
func TestWasmPlugin_finalization_killed(t *testing.T) {
	const objects, kills = 40, 4
	p := startProcess(t)
	n := newFinalized(t, p.env)
	n.finalizer(t, "finalizer")
	n.ExpectReady(t, "finalizer")
	name := func(i int) string { return fmt.Sprintf("c-%02d", i) }
	for i := range objects {
		n.category(t, name(i))
	}
	for kill := range kills {
		first := kill * objects / kills
		// Objects without the finalizer can be deleted without the plugin, as with every finalizer.
		for i := first; i < first+objects/kills; i++ {
			n.expectBlocked(t, name(i), "finalizer")
		}
		for i := first; i < first+objects/kills; i++ {
			n.remove(t, name(i))
		}
		testenv.Eventually(t, "an object is being finalized", func(ctx context.Context) error {
			begun, done := n.traces(ctx, t, "begun-"), n.traces(ctx, t, "done-")
			if len(begun) <= first || len(done) >= first+objects/kills {
				return fmt.Errorf("%d have begun, %d are done", len(begun), len(done))
			}
			return nil
		})
		p.kill(t)
		t.Logf("killed with %d objects begun, %d done and %d left", len(n.traces(t.Context(), t, "begun-")),
			len(n.traces(t.Context(), t, "done-")), len(n.categories(t.Context(), t)))
		p.start(t)
	}
	testenv.Eventually(t, "all are gone", func(ctx context.Context) error {
		if left := n.categories(ctx, t); len(left) > 0 {
			return fmt.Errorf("%d are left", len(left))
		}
		return nil
	})
	done := n.traces(t.Context(), t, "done-")
	for i := range objects {
		if !slices.Contains(done, name(i)) {
			t.Errorf("%s is gone, but was not finalized to its end", name(i))
		}
	}
	if bad := append(n.traces(t.Context(), t, "unheld-"), n.traces(t.Context(), t, "late-")...); len(bad) > 0 {
		t.Errorf("reconciled without the finalizer, or while it was finalized: %q", bad)
	}
}

// TestWasmPlugin_finalization_killedWhileDeleted checks that no finalizer is left behind by an operator that is killed
// while it adds finalizers, and while it removes those of a deleted plugin.
func TestWasmPlugin_finalization_killedWhileDeleted(t *testing.T) {
	const objects = 60
	p := startProcess(t)
	n := newFinalized(t, p.env)
	for i := range objects {
		n.category(t, fmt.Sprintf("c-%02d", i))
	}
	n.finalizer(t, "finalizer")
	n.expectCarriers(t, func(carriers int) bool { return carriers > 0 })
	p.kill(t)
	t.Logf("killed with %d of %d held", n.carriers(t.Context(), t), objects)
	p.start(t)
	n.expectCarriers(t, func(carriers int) bool { return carriers == objects })
	n.delete(t, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta("finalizer")})
	n.expectCarriers(t, func(carriers int) bool { return carriers < objects })
	p.kill(t)
	t.Logf("killed with %d of %d held", n.carriers(t.Context(), t), objects)
	p.start(t)
	n.expectPluginDeleted(t, "finalizer")
	if left := n.carriers(t.Context(), t); left > 0 {
		t.Errorf("the WasmPlugin is gone, and %d objects are held for it", left)
	}
	if begun := n.traces(t.Context(), t, "begun-"); len(begun) > 0 {
		t.Errorf("finalized because the plugin went: %q", begun)
	}
}

// traces returns the names of the objects for which the plugin left a trace with the given prefix.
func (n finalized) traces(ctx context.Context, t *testing.T, prefix string) []string {
	t.Helper()
	var list corev1.ConfigMapList
	if err := n.Client.List(ctx, &list, client.InNamespace(n.NS)); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, cm := range list.Items {
		if name, ok := strings.CutPrefix(cm.Name, prefix); ok {
			out = append(out, name)
		}
	}
	return out
}

func (n finalized) categories(ctx context.Context, t *testing.T) []inventoryv1alpha1.Category {
	t.Helper()
	var list inventoryv1alpha1.CategoryList
	if err := n.Client.List(ctx, &list, client.InNamespace(n.NS)); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// carriers counts the objects that have the finalizer.
func (n finalized) carriers(ctx context.Context, t *testing.T) (carriers int) {
	t.Helper()
	for _, c := range n.categories(ctx, t) {
		if slices.Contains(c.Finalizers, pluginsv1alpha1.FinalizerOf(n.NS, "finalizer")) {
			carriers++
		}
	}
	return carriers
}

func (n finalized) expectCarriers(t *testing.T, enough func(int) bool) {
	t.Helper()
	testenv.Eventually(t, "objects are held", func(ctx context.Context) error {
		if carriers := n.carriers(ctx, t); !enough(carriers) {
			return fmt.Errorf("%d are", carriers)
		}
		return nil
	})
}
