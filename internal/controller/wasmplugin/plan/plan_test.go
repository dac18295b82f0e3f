// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

func item() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Item"}
}

func category() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Category"}
}

func forType(gvk schema.GroupVersionKind) pluginsv1alpha1.ForType {
	return pluginsv1alpha1.ForType{TypeReference: pluginsv1alpha1.TypeReference{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind}}
}

func wasmPlugin(mutate func(*pluginsv1alpha1.WasmPluginSpec)) *pluginsv1alpha1.WasmPlugin {
	wp := &pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "validator"}}
	if mutate != nil {
		mutate(&wp.Spec)
	}
	return wp
}

func TestNew_invalid(t *testing.T) {
	t.Parallel()
	both := []plugin.Capability{plugin.CapabilityReconcile, plugin.CapabilityStatusUpdate}
	for name, tc := range map[string]struct {
		why      string
		mutate   func(*pluginsv1alpha1.WasmPluginSpec)
		metadata plugin.Metadata
		reason   string // empty: not rejected
		message  string
	}{
		"everything-declared": {
			why:      "a spec that leaves both out takes what the module declares",
			metadata: plugin.Metadata{Capabilities: both, ForTypes: []schema.GroupVersionKind{item()}},
		},
		"narrowed": {
			why: "a spec may take less",
			mutate: func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Capabilities = both[:1]
				s.ForTypes = []pluginsv1alpha1.ForType{forType(item())}
			},
			metadata: plugin.Metadata{Capabilities: both, ForTypes: []schema.GroupVersionKind{category(), item()}},
		},
		"more-capabilities": {
			why:      "a spec may not take more",
			mutate:   func(s *pluginsv1alpha1.WasmPluginSpec) { s.Capabilities = both },
			metadata: plugin.Metadata{Capabilities: both[:1], ForTypes: []schema.GroupVersionKind{item()}},
			reason:   pluginsv1alpha1.ReasonCapabilityNotDeclared, message: `"status_update"`,
		},
		"only-admission": {
			why:      "requests alone are enough to call a plugin for",
			metadata: plugin.Metadata{Capabilities: []plugin.Capability{plugin.CapabilityValidation}, ForTypes: []schema.GroupVersionKind{item()}},
		},
		"bad-object-selector": {
			why: "a selector that cannot be read selects nothing",
			mutate: func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Admission.ObjectSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Maybe"}}}
			},
			metadata: plugin.Metadata{Capabilities: both, ForTypes: []schema.GroupVersionKind{item()}},
			reason:   pluginsv1alpha1.ReasonInvalidSelector, message: "objectSelector",
		},
		"never-called": {
			why:      "a plugin that nothing would call is a mistake",
			mutate:   func(s *pluginsv1alpha1.WasmPluginSpec) { s.Capabilities = both[1:] },
			metadata: plugin.Metadata{Capabilities: both, ForTypes: []schema.GroupVersionKind{item()}},
			reason:   pluginsv1alpha1.ReasonUnsupportedCapability, message: "needs one more of",
		},
		"undeclared-type": {
			why:      "a module is not called for what it does not know",
			mutate:   func(s *pluginsv1alpha1.WasmPluginSpec) { s.ForTypes = []pluginsv1alpha1.ForType{forType(category())} },
			metadata: plugin.Metadata{Capabilities: both, ForTypes: []schema.GroupVersionKind{item()}},
			reason:   pluginsv1alpha1.ReasonTypeNotDeclared, message: "Item.inventory.example.com",
		},
		"bad-selector": {
			why: "a selector that cannot be read selects nothing",
			mutate: func(s *pluginsv1alpha1.WasmPluginSpec) {
				bad := forType(item())
				bad.LabelSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Maybe"}}}
				s.ForTypes = []pluginsv1alpha1.ForType{bad}
			},
			metadata: plugin.Metadata{Capabilities: both, ForTypes: []schema.GroupVersionKind{item()}},
			reason:   pluginsv1alpha1.ReasonTypeNotDeclared, message: "labelSelector",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(wasmPlugin(tc.mutate), tc.metadata)
			var rejected *plugin.LoadError
			switch {
			case tc.reason == "" && err != nil:
				t.Errorf("%s: %v", tc.why, err)
			case tc.reason != "" && !errors.As(err, &rejected):
				t.Errorf("%s: want a rejection, got %v", tc.why, err)
			case tc.reason != "" && (rejected.Reason != tc.reason || !strings.Contains(rejected.Message, tc.message)):
				t.Errorf("%s: %s: %s", tc.why, rejected.Reason, rejected.Message)
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
		ForTypes:     []schema.GroupVersionKind{category(), item()},
	}
	of := func(digest plugin.Digest, mutate func(*pluginsv1alpha1.WasmPluginSpec)) string {
		p, err := New(wasmPlugin(mutate), metadata)
		if err != nil {
			t.Fatal(err)
		}
		return p.Fingerprint(digest)
	}
	base := of("a", nil)
	if of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.SHA256 = "x"; s.Suspend = true }) != base {
		t.Error("a pin changes the fingerprint, though not the revision")
	}
	seen := map[string]string{base: "base"}
	for name, fingerprint := range map[string]string{
		"digest":   of("b", nil),
		"settings": of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Settings = &runtime.RawExtension{Raw: []byte(`{"a":1}`)} }),
		"account":  of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = "other" }),
		"capabilities": of("a", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Capabilities = []plugin.Capability{plugin.CapabilityReconcile}
		}),
		"types": of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.ForTypes = []pluginsv1alpha1.ForType{forType(item())} }),
		"selector": of("a", func(s *pluginsv1alpha1.WasmPluginSpec) {
			selected := forType(item())
			selected.LabelSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
			s.ForTypes = []pluginsv1alpha1.ForType{selected}
		}),
		"owns": of("a", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Owns = []pluginsv1alpha1.TypeReference{{APIVersion: "v1", Kind: "ConfigMap"}}
		}),
		"verbs":      of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedVerbs = []pluginsv1alpha1.Verb{} }),
		"namespaces": of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedNamespaces = []string{"*"} }),
		"hosts":      of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedHosts = []string{"a.example"} }),
		"requests":   of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.MaxConcurrentRequests = 1 }),
		"rate":       of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.RequestsPerSecond = 5 }),
		"burst":      of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.RequestsPerSecond, s.Security.Burst = 5, 9 }),
		"memory":     of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Runtime.MaxMemoryPages = 7 }),
		"timeout":    of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Runtime.TimeoutSeconds = 7 }),
		"idle":       of("a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Runtime.IdleSeconds = new(int32(0)) }),
	} {
		if other, ok := seen[fingerprint]; ok {
			t.Errorf("%s and %s have one fingerprint", name, other)
		}
		seen[fingerprint] = name
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
	p, err := New(wasmPlugin(nil), plugin.Metadata{
		Capabilities: []plugin.Capability{plugin.CapabilityReconcile}, ForTypes: []schema.GroupVersionKind{item()}, MaxBatch: 8,
	})
	if err != nil || p.Watch.MaxConcurrentReconciles != 8*int(pluginsv1alpha1.Runtime{}.WithDefaults().MaxInstances) {
		t.Errorf("got %d, %v", p.Watch.MaxConcurrentReconciles, err)
	}
}

func TestNew_rate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ rate, burst, want int32 }{{0, 0, 0}, {50, 0, 100}, {50, 7, 7}} {
		p, err := New(wasmPlugin(func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Security.RequestsPerSecond, s.Security.Burst = tc.rate, tc.burst
		}), plugin.Metadata{Capabilities: []plugin.Capability{plugin.CapabilityReconcile}, ForTypes: []schema.GroupVersionKind{item()}})
		if err != nil || p.RequestsPerSecond != int(tc.rate) || p.Burst != int(tc.want) {
			t.Errorf("%+v: got %d, %d, %v", tc, p.RequestsPerSecond, p.Burst, err)
		}
	}
}
