// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// TestPlan_WatchVerbs shows that a plugin that finalizes needs patch on its targets, but not on what it only owns.
func TestPlan_WatchVerbs(t *testing.T) {
	t.Parallel()
	owned := pluginsv1alpha1.TypeReference{APIVersion: category.GroupVersion().String(), Kind: category.Kind}
	wp := wasmPlugin(pluginsv1alpha1.WasmPluginSpec{Owns: []pluginsv1alpha1.TypeReference{owned}})
	for _, tc := range []struct {
		capability plugin.Capability
		want       []string
	}{
		{plugin.CapabilityReconcile, []string{"list", "watch"}},
		{plugin.CapabilityFinalization, []string{"list", "watch", "patch"}},
	} {
		p, err := New(wp, plugin.Metadata{Capabilities: []plugin.Capability{tc.capability}, ForTypes: []schema.GroupVersionKind{item}})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.WatchVerbs(item); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q", tc.capability, got)
		}
		if got := p.WatchVerbs(category); !slices.Equal(got, []string{"list", "watch"}) {
			t.Errorf("%s: of a kind that is owned %q", tc.capability, got)
		}
		if finalizes := p.Watch.Finalizer == "validator.shop.plugins.k1s.io/finalize"; finalizes != (tc.capability == plugin.CapabilityFinalization) {
			t.Errorf("%s: the finalizer is %q", tc.capability, p.Watch.Finalizer)
		}
	}
}
