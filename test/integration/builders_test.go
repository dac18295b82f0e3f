// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strings"
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

// conformanceFixture returns a module of the conformance tests.
func conformanceFixture(t *testing.T, name string) []byte {
	t.Helper()
	return testfile.Read(t, testenv.Root(), "test", "conformance", "testdata", name)
}

// engineFixture returns a module of the engine's tests.
func engineFixture(t *testing.T, name string) []byte {
	t.Helper()
	return testfile.Read(t, testenv.Root(), "internal", "wasm", "testdata", name)
}

// localFixture returns a module of this package.
func localFixture(t *testing.T, name string) []byte {
	t.Helper()
	return testfile.Read(t, "testdata", name)
}

// tenant is a namespace with the ServiceAccount of a plugin and its permissions.
type tenant struct{ testenv.Tenant }

// newTenant creates a namespace with a ServiceAccount "plugin" that has the given permissions there.
func newTenant(t *testing.T, env *testenv.Env, rules ...rbacv1.PolicyRule) tenant {
	t.Helper()
	return newTenantIn(t, env, env.Namespace(t), rules...)
}

// newTenantIn is like newTenant, in an existing namespace.
func newTenantIn(t *testing.T, env *testenv.Env, ns string, rules ...rbacv1.PolicyRule) tenant {
	t.Helper()
	n := tenant{testenv.Tenant{Env: env, NS: ns}}
	n.CreateAccount(t, "plugin", rules...)
	return n
}

// rule returns a rule for a resource of the inventory API group.
func rule(resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{inventoryv1alpha1.GroupVersion.Group}, Resources: []string{resource}, Verbs: verbs}
}

// annotatorRules are the permissions that the annotator of test/conformance needs.
func annotatorRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule("categories", "get", "list", "watch", "patch"),
		{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create"}},
	}
}

// change updates a WasmPlugin's spec.
func (n tenant) change(t *testing.T, name string, mutate func(*pluginsv1alpha1.WasmPluginSpec)) {
	t.Helper()
	testenv.Eventually(t, "change WasmPlugin "+name, func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, name)
		if err != nil {
			return err
		}
		mutate(&wp.Spec)
		return n.Client.Update(ctx, wp)
	})
}

// category creates a Category.
func (n tenant) category(t *testing.T, name string) {
	t.Helper()
	n.Create(t, &inventoryv1alpha1.Category{ObjectMeta: n.Meta(name), Spec: inventoryv1alpha1.CategorySpec{Name: name}})
}

// expectAnnotated waits until the annotator has annotated a Category.
func (n tenant) expectAnnotated(t *testing.T, name string) {
	t.Helper()
	testenv.Eventually(t, "Category "+name+" is annotated", func(ctx context.Context) error {
		var c inventoryv1alpha1.Category
		if err := n.Client.Get(ctx, client.ObjectKey{Namespace: n.NS, Name: name}, &c); err != nil {
			return err
		}
		if c.Annotations[seenAnnotation] != "yes" {
			return fmt.Errorf("annotations are %v", c.Annotations)
		}
		return nil
	})
}

const seenAnnotation = "conformance.k1s.io/seen"

// expectEvent waits for an Event about a WasmPlugin whose message contains all parts.
func (n tenant) expectEvent(t *testing.T, plugin, reason string, parts ...string) {
	t.Helper()
	testenv.Eventually(t, "event "+reason, func(context.Context) error {
		var seen []string
		for _, e := range n.events(t) {
			if e.InvolvedObject.Kind != "WasmPlugin" || e.InvolvedObject.Name != plugin {
				continue
			}
			seen = append(seen, e.Reason+": "+e.Message)
			if e.Reason == reason && containsAll(e.Message, parts) {
				return nil
			}
		}
		return fmt.Errorf("there are only %q", seen)
	})
}

// events returns the Events of the tenant's namespace.
func (n tenant) events(t *testing.T) []corev1.Event {
	t.Helper()
	var list corev1.EventList
	n.List(t, &list, client.InNamespace(n.NS))
	return list.Items
}

func containsAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// bind gives another ServiceAccount the permissions of the ServiceAccount "plugin".
func (n tenant) bind(t *testing.T, account string) {
	t.Helper()
	n.Create(t, testenv.Binding(n.NS, account, "plugin", testenv.AccountSubject(n.NS, account)))
}

// touch changes an annotation of a WasmPlugin, which triggers a reconcile.
func (n tenant) touch(t *testing.T, name string) {
	t.Helper()
	testenv.Eventually(t, "touch WasmPlugin "+name, func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, name)
		if err != nil {
			return err
		}
		metav1.SetMetaDataAnnotation(&wp.ObjectMeta, "test.k1s.io/touched", wp.ResourceVersion)
		return n.Client.Update(ctx, wp)
	})
}
