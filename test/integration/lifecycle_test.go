// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_lifecycle checks the whole life of a plugin: it reconciles with the permissions of its ServiceAccount;
// suspended, it receives no events; resumed, it reconciles what it missed; after a restart of the operator it
// continues; once it is deleted, its watch is stopped.
func TestWasmPlugin_lifecycle(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	const own = 1 // that of the Category controller
	expectWatches(t, o.env, "categories", own)

	n.category(t, "first")
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")
	n.expectAnnotated(t, "first")
	n.expectWriter(t, "first", "k1s/"+n.NS+"/annotator")
	expectWatches(t, o.env, "categories", own+1)

	t.Log("suspend")
	n.change(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = true })
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonSuspended)
	expectWatches(t, o.env, "categories", own)
	n.category(t, "while-suspended")
	testenv.Consistently(t, "a suspended plugin receives no events", time.Second, func(ctx context.Context) error {
		var c inventoryv1alpha1.Category
		if err := n.Client.Get(ctx, client.ObjectKey{Namespace: n.NS, Name: "while-suspended"}, &c); err != nil {
			return err
		}
		if c.Annotations[seenAnnotation] != "" {
			return fmt.Errorf("annotations are %v", c.Annotations)
		}
		return nil
	})
	n.change(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = false })
	n.ExpectReady(t, "annotator")
	n.expectAnnotated(t, "while-suspended")

	t.Log("restart the operator")
	o.end(t)
	n.category(t, "while-away")
	o.start(t)
	n.expectAnnotated(t, "while-away")
	n.ExpectReady(t, "annotator")
	expectWatches(t, o.env, "categories", own+1)

	t.Log("delete")
	n.Delete(t, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta("annotator")})
	expectWatches(t, o.env, "categories", own)
}

// expectWriter checks that a field manager owns a field of a Category.
func (n tenant) expectWriter(t *testing.T, category, manager string) {
	t.Helper()
	var c inventoryv1alpha1.Category
	n.Get(t, client.ObjectKey{Namespace: n.NS, Name: category}, &c)
	for _, f := range c.ManagedFields {
		if f.Manager == manager {
			return
		}
	}
	t.Errorf("no field of Category %s belongs to %q: %v", category, manager, c.ManagedFields)
}
