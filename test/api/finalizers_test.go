// SPDX-License-Identifier: Apache-2.0

package api

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// The API server accepts the finalizer of the longest possible names, and names with dots are not confused with others.
func TestFinalizerOf(t *testing.T) {
	env := testenv.Shared(t)
	longest := pluginsv1alpha1.FinalizerOf(strings.Repeat("n", 63), strings.Repeat("p", 60))
	for _, name := range []string{longest, pluginsv1alpha1.FinalizerOf("shop", "a.b"), pluginsv1alpha1.FinalizerCleanup} {
		if problems := validation.IsQualifiedName(name); len(problems) > 0 {
			t.Errorf("%q: %q", name, problems)
		}
	}
	ns := env.Namespace(t)
	c := &inventoryv1alpha1.Category{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "tools", Finalizers: []string{longest}},
		Spec:       inventoryv1alpha1.CategorySpec{Name: "tools"},
	}
	if err := env.Client.Create(t.Context(), c); err != nil {
		t.Error(err)
	}
}
