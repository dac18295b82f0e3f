// SPDX-License-Identifier: Apache-2.0

package wasmplugin

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

func TestNewPlan_invalid(t *testing.T) {
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
			_, err := newPlan(wasmPlugin(tc.mutate), tc.metadata)
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
		p, err := newPlan(wasmPlugin(mutate), metadata)
		if err != nil {
			t.Fatal(err)
		}
		return p.fingerprint(digest)
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

func TestRecoveryFrom_neverStallsOnTheMoment(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]recovery{
		pluginsv1alpha1.ReasonNotWasm:                stall, // the bytes stay what they are
		pluginsv1alpha1.ReasonSettingsInvalid:        stall,
		pluginsv1alpha1.ReasonConfigMapNotFound:      wait, // an event reports when it is created
		pluginsv1alpha1.ReasonServiceAccountNotFound: wait,
		pluginsv1alpha1.ReasonKindNotFound:           wait,
		pluginsv1alpha1.ReasonAccountForbidden:       wait,
		pluginsv1alpha1.ReasonSourceUnavailable:      retry, // a temporary state of the API server
		pluginsv1alpha1.ReasonInitializeFailed:       retry, // a slow machine may be the cause
	} {
		if got := recoveryFrom(reason); got != want {
			t.Errorf("%s: recovery %d, want %d", reason, got, want)
		}
	}
}
