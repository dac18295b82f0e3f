// SPDX-License-Identifier: Apache-2.0

package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_WithDefaults compares the defaults that the API server sets with those that the code sets.
func TestWasmPlugin_WithDefaults(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	key := client.ObjectKey{Namespace: env.Namespace(t), Name: "with-defaults"}
	if err := create(t, env, key.Namespace, key.Name, `{`+source+`, runtime: {}, security: {}, admission: {}}`); err != nil {
		t.Fatal(err)
	}
	var wp pluginsv1alpha1.WasmPlugin
	if err := env.Client.Get(t.Context(), key, &wp); err != nil {
		t.Fatal(err)
	}
	spec := pluginsv1alpha1.WasmPluginSpec{Source: wp.Spec.Source}
	spec.ServiceAccountName = spec.ServiceAccount()
	spec.Runtime, spec.Security, spec.Admission = spec.Runtime.WithDefaults(), spec.Security.WithDefaults(), spec.Admission.WithDefaults()
	if diff := cmp.Diff(spec, wp.Spec); diff != "" {
		t.Errorf("-code +API server:\n%s", diff)
	}
}
