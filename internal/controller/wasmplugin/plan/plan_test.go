// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/table"
)

var (
	item     = schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Item"}
	category = schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Category"}
)

func wasmPlugin(spec pluginsv1alpha1.WasmPluginSpec) *pluginsv1alpha1.WasmPlugin {
	return &pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "validator"}, Spec: spec}
}

// specCase is a spec, the metadata of its module, and the error, if there is one.
type specCase struct {
	Name, Why string
	Spec      pluginsv1alpha1.WasmPluginSpec
	Metadata  plugin.Metadata
	Reason    string // empty: not rejected
	Message   string
}

func TestNew_invalid(t *testing.T) {
	t.Parallel()
	for _, tc := range table.Read[specCase](t, "invalid.yaml") {
		t.Run(tc.Name, func(t *testing.T) {
			t.Parallel()
			_, err := New(wasmPlugin(tc.Spec), tc.Metadata)
			var rejected *plugin.LoadError
			switch {
			case tc.Reason == "" && err != nil:
				t.Errorf("%s: %v", tc.Why, err)
			case tc.Reason != "" && !errors.As(err, &rejected):
				t.Errorf("%s: want a rejection, got %v", tc.Why, err)
			case tc.Reason != "" && (rejected.Reason != tc.Reason || !strings.Contains(rejected.Message, tc.Message)):
				t.Errorf("%s: %s: %s", tc.Why, rejected.Reason, rejected.Message)
			}
		})
	}
}

// TestPlan_fingerprint shows that everything that determines a revision changes the fingerprint, and nothing else: the
// fingerprint determines whether a load would produce the same revision again.
func TestPlan_fingerprint(t *testing.T) {
	t.Parallel()
	metadata := plugin.Metadata{
		Capabilities: []plugin.Capability{plugin.CapabilityReconcile, plugin.CapabilityStatusUpdate},
		ForTypes:     []schema.GroupVersionKind{category, item},
	}
	of := func(digest plugin.Digest, spec pluginsv1alpha1.WasmPluginSpec) string {
		p, err := New(wasmPlugin(spec), metadata)
		if err != nil {
			t.Fatal(err)
		}
		return p.Fingerprint(digest)
	}
	base := of("a", pluginsv1alpha1.WasmPluginSpec{})
	if of("a", pluginsv1alpha1.WasmPluginSpec{SHA256: "x", Suspend: true}) != base {
		t.Error("a pin changes the fingerprint, though not the revision")
	}
	seen := map[string]string{base: "base", of("b", pluginsv1alpha1.WasmPluginSpec{}): "digest"}
	if len(seen) < 2 {
		t.Error("the digest does not change the fingerprint")
	}
	for _, tc := range table.Read[specCase](t, "fingerprints.yaml") {
		fingerprint := of("a", tc.Spec)
		if other, ok := seen[fingerprint]; ok {
			t.Errorf("%s and %s have one fingerprint", tc.Name, other)
		}
		seen[fingerprint] = tc.Name
	}
}

// TestWorkers shows that there are more workers than instances only if waiting requests are joined into batches.
func TestWorkers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ instances, batch, want int }{
		{4, 0, 4}, {4, 1, 4}, {4, 8, 32}, {1, 256, 256}, {4, 256, maxWorkers}, {64, 256, maxWorkers},
	} {
		if got := workers(tc.instances, tc.batch); got != tc.want {
			t.Errorf("%d instances, batches of %d: got %d, want %d", tc.instances, tc.batch, got, tc.want)
		}
	}
	p, err := New(wasmPlugin(pluginsv1alpha1.WasmPluginSpec{}), plugin.Metadata{
		Capabilities: []plugin.Capability{plugin.CapabilityReconcile}, ForTypes: []schema.GroupVersionKind{item}, MaxBatch: 8,
	})
	if err != nil || p.Watch.MaxConcurrentReconciles != 8*int(pluginsv1alpha1.Runtime{}.WithDefaults().MaxInstances) {
		t.Errorf("got %d, %v", p.Watch.MaxConcurrentReconciles, err)
	}
}

func TestNew_rate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ rate, burst, want int32 }{{0, 0, 0}, {50, 0, 100}, {50, 7, 7}} {
		security := pluginsv1alpha1.Security{RequestsPerSecond: tc.rate, Burst: tc.burst}
		p, err := New(wasmPlugin(pluginsv1alpha1.WasmPluginSpec{Security: security}), plugin.Metadata{Capabilities: []plugin.Capability{plugin.CapabilityReconcile}, ForTypes: []schema.GroupVersionKind{item}})
		if err != nil || p.RequestsPerSecond != int(tc.rate) || p.Burst != int(tc.want) {
			t.Errorf("%+v: got %d, %d, %v", tc, p.RequestsPerSecond, p.Burst, err)
		}
	}
}
