// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/rand"
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// A write that the account has no right to is refused by the API server itself, in its own words.
func TestWasmPlugin_write_refusedByAPIServer(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, rule("categories", "get", "list", "watch"))
	n.category(t, "tools")
	n.store(t, "annotator", fixture(t, "annotator.wasm"))
	n.plugin(t, "annotator")
	n.expectReady(t, "annotator")
	n.expectEvent(t, "annotator", "ReconcileFailed",
		fmt.Sprintf("User \"system:serviceaccount:%s:plugin\" cannot patch resource \"categories\"", n.ns))

	t.Log("with the right granted, the retry comes through")
	role := &rbacv1.Role{ObjectMeta: n.meta("plugin"), Rules: annotatorRules()}
	if err := n.env.Client.Update(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	n.expectAnnotated(t, "tools")
}

// A read is held against the account's rights although the object lies in the shared cache, which
// another plugin with more rights fills.
func TestWasmPlugin_read_refusedAlthoughCached(t *testing.T) {
	o := startOperator(t)
	other := newTenant(t, o.env, annotatorRules()...)
	other.category(t, "private")
	other.store(t, "annotator", fixture(t, "annotator.wasm"))
	other.plugin(t, "annotator")
	other.expectAnnotated(t, "private")

	reader := localFixture(t, "reader.wasm")
	for name, tc := range map[string]struct {
		why        string
		rules      []rbacv1.PolicyRule
		namespaces []string
		target     func(n tenant) string // the namespace of the object that is read
		want       string
	}{
		"granted": {
			why:    "the control: an account that may get reads its own namespace's object",
			rules:  []rbacv1.PolicyRule{rule("categories", "get", "list", "watch")},
			target: func(n tenant) string { return n.ns },
			want:   "answered Invalid: read ok",
		},
		"no-get": {
			why:    "list and watch do not stand for get",
			rules:  []rbacv1.PolicyRule{rule("categories", "list", "watch")},
			target: func(n tenant) string { return n.ns },
			want:   "answered Forbidden: rbac: may not get categories.inventory.example.com",
		},
		"other-tenant": {
			why:    "another tenant's object is beyond the allowlist, which is the own namespace unless said otherwise",
			rules:  []rbacv1.PolicyRule{rule("categories", "get", "list", "watch")},
			target: func(tenant) string { return other.ns },
			want:   "answered Forbidden: allowlist: may not get categories.inventory.example.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, o.env, tc.rules...)
			n.category(t, "private")
			n.store(t, "reader", reader)
			n.plugin(t, "reader", func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Settings = &runtime.RawExtension{Raw: fmt.Appendf(nil,
					`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","namespace":%q,"name":"private"}`, tc.target(n))}
			})
			n.expectReady(t, "reader")
			n.expectEvent(t, "reader", "ReconcileFailed", tc.want)
		})
	}
}

// Who widens a plugin's allowlist to another tenant's namespace gains nothing: the account has no
// rights there, so the plugin does not even load.
func TestWasmPlugin_otherNamespace_needsRights(t *testing.T) {
	o := startOperator(t)
	other := o.env.Namespace(t)
	n := newTenant(t, o.env, annotatorRules()...)
	n.store(t, "annotator", fixture(t, "annotator.wasm"))
	n.plugin(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Security.AllowedNamespaces = []string{n.ns, other}
	})
	n.expectCondition(t, "annotator", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse,
		pluginsv1alpha1.ReasonWatchForbidden, fmt.Sprintf("in namespace %q", other))
}

// Rights that go while a plugin serves end its events at once, and the status says so when it is
// looked at; when they come back, so do the events.
func TestWasmPlugin_rightsLost(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	n.store(t, "annotator", fixture(t, "annotator.wasm"))
	n.plugin(t, "annotator")
	n.expectReady(t, "annotator")
	binding := &rbacv1.RoleBinding{ObjectMeta: n.meta("plugin")}
	if err := n.env.Client.Delete(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	n.poke(t, "annotator")
	n.expectCondition(t, "annotator", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonWatchForbidden)
	n.expectCondition(t, "annotator", pluginsv1alpha1.ConditionServing, metav1.ConditionFalse, pluginsv1alpha1.ReasonNoRevision)
	n.expectEvent(t, "annotator", pluginsv1alpha1.ReasonWatchForbidden)
	n.category(t, "meanwhile")

	n.bind(t, "plugin")
	n.poke(t, "annotator")
	n.expectReady(t, "annotator")
	n.expectAnnotated(t, "meanwhile")
}

// poke has a plugin looked at now, as `kubectl annotate` does.
func (n tenant) poke(t *testing.T, name string) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"test/poke":%q}}}`, rand.Text())
	wp := &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.meta(name)}
	if err := n.env.Client.Patch(t.Context(), wp, client.RawPatch(types.MergePatchType, patch)); err != nil {
		t.Fatal(err)
	}
}
