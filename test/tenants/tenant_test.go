// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
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
type tenant struct {
	env *testenv.Env
	ns  string
}

// content is a text in all private objects of a tenant.
func (n tenant) content() string { return "content-of-" + n.ns }

func (n tenant) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: n.ns, Name: name}
}

func create(t *testing.T, env *testenv.Env, o client.Object) {
	t.Helper()
	if err := env.Client.Create(t.Context(), o); err != nil {
		t.Fatalf("create %T %s: %v", o, o.GetName(), err)
	}
}

// newTenants creates two tenants, each with private objects and with permissions in its own namespace only. As an
// exception, each tenant allows the other one to watch its Categories.
func newTenants(t *testing.T, env *testenv.Env) (a, b tenant) {
	t.Helper()
	a, b = tenant{env, env.Namespace(t)}, tenant{env, env.Namespace(t)}
	for _, pair := range [][2]tenant{{a, b}, {b, a}} {
		n, neighbor := pair[0], pair[1]
		inventory := []string{inventoryv1alpha1.GroupVersion.Group}
		n.account(t, "plugin",
			rbacv1.PolicyRule{APIGroups: inventory, Resources: []string{"items", "categories"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete"}},
			rbacv1.PolicyRule{APIGroups: inventory, Resources: []string{"items/status", "categories/status"}, Verbs: []string{"update", "patch"}},
			rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "create"}},
			rbacv1.PolicyRule{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create"}},
		)
		n.account(t, wide,
			rbacv1.PolicyRule{APIGroups: inventory, Resources: []string{"categories"}, Verbs: []string{"list", "watch"}},
			rbacv1.PolicyRule{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"roles", "rolebindings"}, Verbs: []string{"get", "create", "update", "patch"}},
		)
		n.account(t, "admin", rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
		create(t, env, &rbacv1.Role{ObjectMeta: n.meta("neighbor"), Rules: []rbacv1.PolicyRule{
			{APIGroups: inventory, Resources: []string{"categories"}, Verbs: []string{"list", "watch"}},
		}})
		n.bind(t, "neighbor", neighbor.ns, wide)
		n.createPrivate(t)
	}
	return a, b
}

// account creates a ServiceAccount, and a Role of the same name for it.
func (n tenant) account(t *testing.T, name string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	n.env.ServiceAccount(t, n.ns, name)
	create(t, n.env, &rbacv1.Role{ObjectMeta: n.meta(name), Rules: rules})
	n.bind(t, name, n.ns, name)
}

func (n tenant) bind(t *testing.T, role, namespace, account string) {
	t.Helper()
	create(t, n.env, &rbacv1.RoleBinding{
		ObjectMeta: n.meta(role),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
	})
}

// createPrivate creates the private objects of the tenant, and waits until the operator has reconciled them.
func (n tenant) createPrivate(t *testing.T) {
	t.Helper()
	item := &inventoryv1alpha1.Item{ObjectMeta: n.meta(privateName), Spec: inventoryv1alpha1.ItemSpec{Name: "private", Description: n.content()}}
	category := &inventoryv1alpha1.Category{ObjectMeta: n.meta(privateName), Spec: inventoryv1alpha1.CategorySpec{Name: "private"}}
	for _, o := range []client.Object{
		item, category,
		&corev1.Secret{ObjectMeta: n.meta(privateName), StringData: map[string]string{"password": n.content()}},
		&corev1.ConfigMap{ObjectMeta: n.meta(privateName), Data: map[string]string{"config": n.content()}},
	} {
		create(t, n.env, o)
	}
	testenv.Eventually(t, "the private Item has a status", func(ctx context.Context) error {
		if err := errors.Join(n.env.Client.Get(ctx, client.ObjectKeyFromObject(item), item), n.env.Client.Get(ctx, client.ObjectKeyFromObject(category), category)); err != nil {
			return err
		}
		if item.Status.ObservedGeneration == 0 || category.Status.ObservedGeneration == 0 {
			return errors.New("it has none")
		}
		return nil
	})
}

func trickster(t *testing.T) []byte {
	t.Helper()
	module, err := os.ReadFile(filepath.Join("testdata", "trickster.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// store creates or updates a ConfigMap with a module.
func (n tenant) store(t *testing.T, name string, module []byte) {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(module); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	cm := &corev1.ConfigMap{ObjectMeta: n.meta(name), BinaryData: map[string][]byte{"plugin.wasm": packed.Bytes()}}
	err := n.env.Client.Create(t.Context(), cm)
	if client.IgnoreAlreadyExists(err) == nil && err != nil {
		err = n.env.Client.Update(t.Context(), cm)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// plugin creates a WasmPlugin that does the tricks of those carriers of a kind that have its label.
func (n tenant) plugin(t *testing.T, name, kind string, mutate ...func(*pluginsv1alpha1.WasmPluginSpec)) {
	t.Helper()
	n.store(t, "module-"+name, trickster(t))
	create(t, n.env, n.wasmPlugin(name, kind, mutate...))
	t.Cleanup(func() {
		if err := n.env.Client.Delete(context.Background(), n.wasmPlugin(name, kind)); client.IgnoreNotFound(err) != nil {
			t.Errorf("delete WasmPlugin %s: %v", name, err)
		}
	})
}

func (n tenant) wasmPlugin(name, kind string, mutate ...func(*pluginsv1alpha1.WasmPluginSpec)) *pluginsv1alpha1.WasmPlugin {
	apiVersion := inventoryv1alpha1.GroupVersion.String()
	if kind == "Secret" || kind == "ConfigMap" {
		apiVersion = "v1"
	}
	wp := &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.meta(name), Spec: pluginsv1alpha1.WasmPluginSpec{
		Source:             pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: "module-" + name}},
		ServiceAccountName: "plugin",
		Capabilities:       []pluginsv1alpha1.Capability{pluginsv1alpha1.CapabilityReconcile, pluginsv1alpha1.CapabilityStatusUpdate},
		ForTypes: []pluginsv1alpha1.ForType{{
			TypeReference: pluginsv1alpha1.TypeReference{APIVersion: apiVersion, Kind: kind},
			LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelPlugin: n.ns + "." + name}},
		}},
	}}
	for _, m := range mutate {
		m(&wp.Spec)
	}
	return wp
}

// expectCondition waits until a condition of a WasmPlugin has the given status and reason, and its message contains all
// parts.
func (n tenant) expectCondition(t *testing.T, name, condition string, status metav1.ConditionStatus, reason string, parts ...string) {
	t.Helper()
	testenv.Eventually(t, fmt.Sprintf("WasmPlugin %s/%s has %s=%s (%s)", n.ns, name, condition, status, reason), func(ctx context.Context) error {
		var wp pluginsv1alpha1.WasmPlugin
		if err := n.env.Client.Get(ctx, client.ObjectKey{Namespace: n.ns, Name: name}, &wp); err != nil {
			return err
		}
		c := meta.FindStatusCondition(wp.Status.Conditions, condition)
		if c == nil || c.Status != status || c.Reason != reason || wp.Status.ObservedGeneration != wp.Generation {
			return fmt.Errorf("conditions are %+v", wp.Status.Conditions)
		}
		for _, part := range parts {
			if !strings.Contains(c.Message, part) {
				return fmt.Errorf("message %q has no %q", c.Message, part)
			}
		}
		return nil
	})
}

func (n tenant) expectReady(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		n.expectCondition(t, name, pluginsv1alpha1.ConditionReady, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded)
	}
}

// carrier creates an object that makes one of the tenant's plugins do a trick.
func (n tenant) carrier(t *testing.T, plugin, name string, c call) {
	t.Helper()
	m := n.meta(name)
	m.Labels = map[string]string{labelPlugin: n.ns + "." + plugin}
	m.Annotations = map[string]string{"tricks.k1s.io/trick": c.encode(name)}
	if plugin == wide {
		create(t, n.env, &inventoryv1alpha1.Category{ObjectMeta: m, Spec: inventoryv1alpha1.CategorySpec{Name: name}})
		return
	}
	create(t, n.env, &inventoryv1alpha1.Item{ObjectMeta: m, Spec: inventoryv1alpha1.ItemSpec{Name: name}})
}
