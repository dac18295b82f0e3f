// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_kstatus checks the conditions that kubectl wait, Flux and Argo CD use: Reconciling while a plugin waits,
// Stalled while only a change of the plugin helps, and neither while it is Ready.
func TestWasmPlugin_kstatus(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	n.Plugin(t, "annotator")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReconciling, metav1.ConditionTrue, pluginsv1alpha1.ReasonConfigMapNotFound)
	n.expectNoCondition(t, "annotator", pluginsv1alpha1.ConditionStalled)
	// kubectl puts text into data, and a module into binaryData.
	n.Create(t, &corev1.ConfigMap{ObjectMeta: n.Meta("annotator"), Data: map[string]string{"plugin.wasm": "text"}})
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonNotWasm)
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionStalled, metav1.ConditionTrue, pluginsv1alpha1.ReasonNotWasm)
	n.expectNoCondition(t, "annotator", pluginsv1alpha1.ConditionReconciling)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.ExpectReady(t, "annotator")
	n.expectNoCondition(t, "annotator", pluginsv1alpha1.ConditionStalled)
	n.expectNoCondition(t, "annotator", pluginsv1alpha1.ConditionReconciling)
}

// expectNoCondition waits until a WasmPlugin does not have a condition.
func (n tenant) expectNoCondition(t *testing.T, name, condition string) {
	t.Helper()
	testenv.Eventually(t, fmt.Sprintf("WasmPlugin %s has no %s", name, condition), func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, name)
		if err == nil && meta.FindStatusCondition(wp.Status.Conditions, condition) != nil {
			err = fmt.Errorf("conditions are %v", wp.Status.Conditions)
		}
		return err
	})
}
