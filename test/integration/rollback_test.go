// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_rollback checks that a revision whose first calls fail is rolled back automatically: the previous
// revision serves every object again, the status reports it, and the failed revision is not retried until the module
// changes.
func TestWasmPlugin_rollback(t *testing.T) {
	const categories = 12
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	n.Store(t, "annotator", versionOf(t, "1.0.0"))
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")
	for i := range categories {
		n.category(t, fmt.Sprintf("c-%d", i))
	}
	for i := range categories {
		n.expectAnnotated(t, fmt.Sprintf("c-%d", i))
	}

	n.Store(t, "annotator", localFixture(t, "trapper.wasm"))
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionDegraded, metav1.ConditionTrue, pluginsv1alpha1.ReasonRolledBack,
		"version 1.0.0) keeps serving", "version 2.0.0) was rolled back", "unreachable in ", "not retried until")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonRolledBack)
	n.expectEvent(t, "annotator", pluginsv1alpha1.ReasonRolledBack, "rolled back")
	back, err := n.GetPlugin(t.Context(), "annotator")
	if err != nil {
		t.Fatal(err)
	}
	if r := back.Status.Revision; r == nil || r.Version != "1.0.0" {
		t.Fatalf("revision %+v serves, want version 1.0.0", r)
	}
	n.category(t, "after")
	n.expectAnnotated(t, "after")

	// Another reconcile of the WasmPlugin does not load the failed revision again.
	n.touch(t, "annotator")
	testenv.Consistently(t, "the revision that serves stays", 3*time.Second, func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, "annotator")
		if err != nil {
			return err
		}
		if r := wp.Status.Revision; r == nil || r.Version != "1.0.0" || !r.LoadedAt.Equal(&back.Status.Revision.LoadedAt) {
			return fmt.Errorf("revision is %+v", r)
		}
		return nil
	})

	n.Store(t, "annotator", versionOf(t, "1.0.1"))
	n.expectVersion(t, "annotator", "1.0.1")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionDegraded, metav1.ConditionFalse, pluginsv1alpha1.ReasonAsSpecified)
}

// TestWasmPlugin_callsFail checks a plugin whose calls fail from the start, without a previous revision to roll back
// to. It is not Ready, and becomes Ready with a module that works: its objects have stayed in the queue.
func TestWasmPlugin_callsFail(t *testing.T) {
	const categories = 12
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	for i := range categories {
		n.category(t, fmt.Sprintf("c-%d", i))
	}
	n.Store(t, "annotator", localFixture(t, "trapper.wasm"))
	n.Plugin(t, "annotator")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonCallsFailing,
		"version 2.0.0) serves, but half of its last calls failed", "unreachable in ")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionDegraded, metav1.ConditionTrue, pluginsv1alpha1.ReasonCallsFailing)

	n.Store(t, "annotator", versionOf(t, "1.0.0"))
	n.ExpectReady(t, "annotator")
	for i := range categories {
		n.expectAnnotated(t, fmt.Sprintf("c-%d", i))
	}
}
