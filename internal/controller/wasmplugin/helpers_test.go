// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
)

func item() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Item"}
}

// itemKinds are Items, as the API server serves them.
func itemKinds() plan.Kinds {
	return plan.Kinds{item(): &meta.RESTMapping{
		Scope: meta.RESTScopeNamespace, GroupVersionKind: item(), Resource: item().GroupVersion().WithResource("items"),
	}}
}

// loadOf returns a load that has planned a plugin for Items, with the capability reconcile or the given ones.
func loadOf(t *testing.T, mutate func(*pluginsv1alpha1.WasmPluginSpec), capabilities ...plugin.Capability) *load {
	t.Helper()
	if len(capabilities) == 0 {
		capabilities = []plugin.Capability{plugin.CapabilityReconcile}
	}
	wp := &pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "validator", Generation: 1}}
	if mutate != nil {
		mutate(&wp.Spec)
	}
	p, err := plan.New(wp, plugin.Metadata{Version: "v1.0.0", Capabilities: capabilities, ForTypes: []schema.GroupVersionKind{item()}})
	if err != nil {
		t.Fatal(err)
	}
	l := newLoad(wp, nil)
	l.plan = p
	return l
}

// revisionOf returns a revision of a load, as compile makes it.
func revisionOf(l *load, digest string) *revision {
	kinds := itemKinds()
	return &revision{
		scope:       &scope{plan: l.plan.Using(kinds), kinds: kinds},
		fingerprint: l.plan.Fingerprint(plugin.Digest(digest)), digest: plugin.Digest(digest),
		status:     pluginsv1alpha1.Revision{Digest: "sha256:" + digest, ShortDigest: digest, Version: "v1.0.0", Types: l.plan.Types()},
		dispatcher: &dispatcher{}, serving: func() {}, track: plugin.NewTrack(nil),
	}
}

// leader returns a replica that is the leader.
func leader() *replica {
	r := &replica{}
	r.leader.Store(true)
	return r
}
