// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// TestWasmPlugin_write_deniedByAPIServer checks that the API server itself denies a write for which the ServiceAccount
// lacks the permission, and that the plugin's Event has the API server's message.
func TestWasmPlugin_write_deniedByAPIServer(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, rule("categories", "get", "list", "watch"))
	n.category(t, "tools")
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")
	n.expectEvent(t, "annotator", "ReconcileFailed",
		fmt.Sprintf("User \"system:serviceaccount:%s:plugin\" cannot patch resource \"categories\"", n.NS))

	t.Log("with the right granted, the retry comes through")
	role := &rbacv1.Role{ObjectMeta: n.Meta("plugin"), Rules: annotatorRules()}
	n.Update(t, role)
	n.expectAnnotated(t, "tools")
}

// TestWasmPlugin_read_deniedAlthoughCached checks that a read is authorized with the permissions of the plugin's
// ServiceAccount although the object is in the shared cache, which another plugin with more permissions fills.
func TestWasmPlugin_read_deniedAlthoughCached(t *testing.T) {
	o := startOperator(t)
	other := newTenant(t, o.env, annotatorRules()...)
	other.category(t, "private")
	other.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	other.Plugin(t, "annotator")
	other.expectAnnotated(t, "private")

	reader := localFixture(t, "reader.wasm")
	for name, tc := range map[string]struct {
		why        string
		rules      []rbacv1.PolicyRule
		namespaces []string
		target     func(n tenant) string // the namespace of the object that the plugin reads
		want       string
	}{
		"granted": {
			why:    "the control: an account that may get reads its own namespace's object",
			rules:  []rbacv1.PolicyRule{rule("categories", "get", "list", "watch")},
			target: func(n tenant) string { return n.NS },
			want:   "answered Invalid: read ok",
		},
		"no-get": {
			why:    "list and watch do not stand for get",
			rules:  []rbacv1.PolicyRule{rule("categories", "list", "watch")},
			target: func(n tenant) string { return n.NS },
			want:   "answered Forbidden: rbac: cannot get categories.inventory.example.com",
		},
		"other-tenant": {
			why:    "another tenant's object is beyond the allowlist, which is the own namespace unless said otherwise",
			rules:  []rbacv1.PolicyRule{rule("categories", "get", "list", "watch")},
			target: func(tenant) string { return other.NS },
			want:   "answered Forbidden: allowlist: cannot get categories.inventory.example.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, o.env, tc.rules...)
			n.category(t, "private")
			n.Store(t, "reader", reader)
			n.Plugin(t, "reader", func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Settings = &runtime.RawExtension{Raw: fmt.Appendf(nil,
					`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","namespace":%q,"name":"private"}`, tc.target(n))}
			})
			n.ExpectReady(t, "reader")
			n.expectEvent(t, "reader", "ReconcileFailed", tc.want)
		})
	}
}

// TestWasmPlugin_otherNamespace_needsRights checks that adding the namespace of another tenant to a plugin's allowlist
// gives no access to it: the ServiceAccount has no permissions there, so the plugin does not even load.
func TestWasmPlugin_otherNamespace_needsRights(t *testing.T) {
	o := startOperator(t)
	other := o.env.Namespace(t)
	n := newTenant(t, o.env, annotatorRules()...)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Security.AllowedNamespaces = []string{n.NS, other}
	})
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse,
		pluginsv1alpha1.ReasonAccountForbidden, fmt.Sprintf("in namespace %q", other))
}

// TestWasmPlugin_rightsLost checks that a plugin which loses its permissions while it serves receives no more events,
// and that its status reports this without another change of the WasmPlugin. When it has the permissions again, it
// receives the events again.
func TestWasmPlugin_rightsLost(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")
	binding := &rbacv1.RoleBinding{ObjectMeta: n.Meta("plugin")}
	n.Delete(t, binding)
	deleted := time.Now()
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden)
	t.Logf("the status said so after %s", time.Since(deleted))
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionServing, metav1.ConditionFalse, pluginsv1alpha1.ReasonNoRevision)
	n.expectEvent(t, "annotator", pluginsv1alpha1.ReasonAccountForbidden)
	n.category(t, "meanwhile")

	n.bind(t, "plugin")
	back := time.Now()
	n.ExpectReady(t, "annotator")
	t.Logf("with the right back, it was ready after %s", time.Since(back))
	n.expectAnnotated(t, "meanwhile")
}

// TestWasmPlugin_rightsLost_clusterRole checks that a change of a ClusterRole and its ClusterRoleBinding, which grant
// permissions in all namespaces, triggers a reconcile of the WasmPlugin as well.
func TestWasmPlugin_rightsLost_clusterRole(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env)
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: n.NS}, Rules: annotatorRules()}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: n.NS},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: n.NS},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:serviceaccounts:" + n.NS}},
	}
	n.Create(t, role)
	n.Create(t, binding)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedNamespaces = []string{"*"} })
	n.ExpectReady(t, "annotator")
	role.Rules = []rbacv1.PolicyRule{rule("categories", "list")}
	n.Update(t, role)
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse,
		pluginsv1alpha1.ReasonAccountForbidden, "cannot watch categories.inventory.example.com in all namespaces")
	role.Rules = annotatorRules()
	n.Update(t, role)
	n.ExpectReady(t, "annotator")
}

// TestWasmPlugin_grantPasted checks that the commands in the message can be pasted into a shell, and that they grant
// everything that is missing.
func TestWasmPlugin_grantPasted(t *testing.T) {
	o := startOperator(t)
	other := o.env.Namespace(t)
	for name, tc := range map[string]struct {
		why        string
		namespaces func(n tenant) []string
		missing    func(n tenant) []string
	}{
		"own": {
			why:        "a Role in the plugin's namespace",
			namespaces: func(tenant) []string { return nil },
			missing: func(n tenant) []string {
				return []string{fmt.Sprintf("list and watch categories.inventory.example.com, items.inventory.example.com in namespace %q;", n.NS)}
			},
		},
		"two": {
			why:        "a Role in each namespace, all at once",
			namespaces: func(n tenant) []string { return []string{n.NS, other} },
			missing: func(n tenant) []string {
				return []string{fmt.Sprintf("in namespace %q", n.NS), fmt.Sprintf("in namespace %q", other)}
			},
		},
		"everywhere": {
			why:        "a ClusterRole",
			namespaces: func(tenant) []string { return []string{"*"} },
			missing: func(tenant) []string {
				return []string{"in all namespaces", "create clusterrole ", "create clusterrolebinding "}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newTenant(t, o.env)
			n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
			n.Plugin(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Security.AllowedNamespaces = tc.namespaces(n)
				s.Owns = []pluginsv1alpha1.TypeReference{{APIVersion: "inventory.example.com/v1alpha1", Kind: "Item"}}
			})
			n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse,
				pluginsv1alpha1.ReasonAccountForbidden, tc.missing(n)...)
			n.expectEvent(t, "annotator", pluginsv1alpha1.ReasonAccountForbidden, "grant it: kubectl ")
			n.paste(t, "annotator")
			n.ExpectReady(t, "annotator")
		})
	}
}

// paste runs the commands in the message of a WasmPlugin's condition Authorized, as a person would.
func (n tenant) paste(t *testing.T, name string) {
	t.Helper()
	wp, err := n.GetPlugin(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	message := meta.FindStatusCondition(wp.Status.Conditions, pluginsv1alpha1.ConditionAuthorized).Message
	_, commands, ok := strings.Cut(message, "grant it: ")
	if !ok {
		t.Fatalf("%q has nothing to paste", message)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, n.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-e", "-c", commands)
	shell.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig,
		"PATH="+os.Getenv("KUBEBUILDER_ASSETS")+string(os.PathListSeparator)+os.Getenv("PATH"))
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, out)
	}
	t.Logf("pasted: %s", commands)
}
