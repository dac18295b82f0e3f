// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// The plugins of each tenant. They have the same code.
const (
	// plain is allowed what its ServiceAccount is allowed, in its own namespace.
	plain = "plain"
	// listed also has allowlists of resources and verbs.
	listed = "listed"
	// wide is also allowed to watch the Categories of the other tenant, who has granted that, and to make HTTP
	// requests. Its team manages the roles of its own namespace.
	wide = "wide"
	// labelPlugin is the label with the name of the plugin that a carrier of a trick is for.
	labelPlugin = "tricks.k1s.io/plugin"
)

// privateName is the name of the private objects of each tenant, which the other one tries to access.
const privateName = "private"

// tenant is a namespace with the objects that a platform team creates in it.
type tenant struct{ testenv.Tenant }

func newTenant(t *testing.T, env *testenv.Env) tenant {
	t.Helper()
	return tenant{testenv.Tenant{Env: env, NS: env.Namespace(t)}}
}

// content is a text in all private objects of a tenant.
func (n tenant) content() string { return "content-of-" + n.NS }

// newTenants creates two tenants, each with private objects and with permissions in its own namespace only. As an
// exception, each tenant allows the other one to watch its Categories.
func newTenants(t *testing.T, env *testenv.Env) (a, b tenant) {
	t.Helper()
	a, b = newTenant(t, env), newTenant(t, env)
	for _, pair := range [][2]tenant{{a, b}, {b, a}} {
		n, neighbor := pair[0], pair[1]
		inventory := []string{inventoryv1alpha1.GroupVersion.Group}
		n.CreateAccount(t, "plugin",
			rbacv1.PolicyRule{APIGroups: inventory, Resources: []string{"items", "categories"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete"}},
			rbacv1.PolicyRule{APIGroups: inventory, Resources: []string{"items/status", "categories/status"}, Verbs: []string{"update", "patch"}},
			rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "create"}},
			rbacv1.PolicyRule{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create"}},
		)
		n.CreateAccount(t, wide,
			rbacv1.PolicyRule{APIGroups: inventory, Resources: []string{"categories"}, Verbs: []string{"list", "watch"}},
			rbacv1.PolicyRule{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"roles", "rolebindings"}, Verbs: []string{"get", "create", "update", "patch"}},
		)
		n.CreateAccount(t, "admin", rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
		n.GrantRole(t, "neighbor", testenv.AccountSubject(neighbor.NS, wide),
			rbacv1.PolicyRule{APIGroups: inventory, Resources: []string{"categories"}, Verbs: []string{"list", "watch"}})
		n.createPrivate(t)
	}
	return a, b
}

// createPrivate creates the private objects of the tenant, and waits until the operator has reconciled them.
func (n tenant) createPrivate(t *testing.T) {
	t.Helper()
	item := &inventoryv1alpha1.Item{ObjectMeta: n.Meta(privateName), Spec: inventoryv1alpha1.ItemSpec{Name: "private", Description: n.content()}}
	category := &inventoryv1alpha1.Category{ObjectMeta: n.Meta(privateName), Spec: inventoryv1alpha1.CategorySpec{Name: "private"}}
	n.Create(t, item, category,
		&corev1.Secret{ObjectMeta: n.Meta(privateName), StringData: map[string]string{"password": n.content()}},
		&corev1.ConfigMap{ObjectMeta: n.Meta(privateName), Data: map[string]string{"config": n.content()}},
	)
	testenv.Eventually(t, "the private Item has a status", func(ctx context.Context) error {
		if err := errors.Join(n.Client.Get(ctx, client.ObjectKeyFromObject(item), item), n.Client.Get(ctx, client.ObjectKeyFromObject(category), category)); err != nil {
			return err
		}
		if item.Status.ObservedGeneration == 0 || category.Status.ObservedGeneration == 0 {
			return errors.New("it has none")
		}
		return nil
	})
}

// plugin creates a WasmPlugin that does the tricks of those carriers of a kind that have its label.
func (n tenant) plugin(t *testing.T, name, kind string, mutate ...func(*pluginsv1alpha1.WasmPluginSpec)) {
	t.Helper()
	n.Store(t, "module-"+name, testfile.Read(t, "testdata", "trickster.wasm"))
	n.Plugin(t, name, append([]func(*pluginsv1alpha1.WasmPluginSpec){n.doesTricks(name, kind)}, mutate...)...)
}

// doesTricks returns a function that makes a spec that of a plugin which does tricks.
func (n tenant) doesTricks(name, kind string) func(*pluginsv1alpha1.WasmPluginSpec) {
	apiVersion := inventoryv1alpha1.GroupVersion.String()
	if kind == "Secret" || kind == "ConfigMap" {
		apiVersion = "v1"
	}
	return func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Source.ConfigMap.Name = "module-" + name
		s.Capabilities = []pluginsv1alpha1.Capability{pluginsv1alpha1.CapabilityReconcile, pluginsv1alpha1.CapabilityStatusUpdate}
		s.ForTypes = []pluginsv1alpha1.ForType{{
			TypeReference: pluginsv1alpha1.TypeReference{APIVersion: apiVersion, Kind: kind},
			LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelPlugin: n.NS + "." + name}},
		}}
	}
}

// carrier creates an object that makes one of the tenant's plugins do a trick.
func (n tenant) carrier(t *testing.T, plugin, name string, c call) {
	t.Helper()
	m := n.Meta(name)
	m.Labels = map[string]string{labelPlugin: n.NS + "." + plugin}
	m.Annotations = map[string]string{"tricks.k1s.io/trick": c.encode(name)}
	if plugin == wide {
		n.Create(t, &inventoryv1alpha1.Category{ObjectMeta: m, Spec: inventoryv1alpha1.CategorySpec{Name: name}})
		return
	}
	n.Create(t, &inventoryv1alpha1.Item{ObjectMeta: m, Spec: inventoryv1alpha1.ItemSpec{Name: name}})
}
