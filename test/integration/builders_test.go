// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"compress/gzip"
	"context"
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

// fixture returns a module of the conformance tests.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	return readModule(t, filepath.Join(testenv.Root(), "test", "conformance", "testdata", name))
}

// engineFixture returns a module of the engine's tests.
func engineFixture(t *testing.T, name string) []byte {
	t.Helper()
	return readModule(t, filepath.Join(testenv.Root(), "internal", "wasm", "testdata", name))
}

// localFixture returns a module of this package.
func localFixture(t *testing.T, name string) []byte {
	t.Helper()
	return readModule(t, filepath.Join("testdata", name))
}

func readModule(t *testing.T, path string) []byte {
	t.Helper()
	module, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// tenant is a namespace with the ServiceAccount of a plugin and its permissions.
type tenant struct {
	env *testenv.Env
	ns  string
}

// newTenant creates a namespace with a ServiceAccount "plugin" that has the given permissions there.
func newTenant(t *testing.T, env *testenv.Env, rules ...rbacv1.PolicyRule) tenant {
	t.Helper()
	return newTenantIn(t, env, env.Namespace(t), rules...)
}

// newTenantIn is like newTenant, in an existing namespace.
func newTenantIn(t *testing.T, env *testenv.Env, ns string, rules ...rbacv1.PolicyRule) tenant {
	t.Helper()
	n := tenant{env: env, ns: ns}
	env.ServiceAccount(t, n.ns, "plugin")
	n.create(t, &rbacv1.Role{ObjectMeta: n.meta("plugin"), Rules: rules})
	n.create(t, &rbacv1.RoleBinding{
		ObjectMeta: n.meta("plugin"),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "plugin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.ns, Name: "plugin"}},
	})
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

func (n tenant) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: n.ns, Name: name}
}

func (n tenant) create(t *testing.T, o client.Object) {
	t.Helper()
	if err := n.env.Client.Create(t.Context(), o); err != nil {
		t.Fatalf("create %T %s: %v", o, o.GetName(), err)
	}
}

// store writes a module, compressed, to a ConfigMap, which it creates or updates.
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
	n.storeRaw(t, name, packed.Bytes())
}

func (n tenant) storeRaw(t *testing.T, name string, bytes []byte) {
	t.Helper()
	cm := &corev1.ConfigMap{ObjectMeta: n.meta(name), BinaryData: map[string][]byte{"plugin.wasm": bytes}}
	err := n.env.Client.Create(t.Context(), cm)
	if client.IgnoreAlreadyExists(err) == nil && err != nil {
		err = n.env.Client.Update(t.Context(), cm)
	}
	if err != nil {
		t.Fatalf("store a module of %d bytes: %v", len(bytes), err)
	}
}

// plugin creates a WasmPlugin that loads the ConfigMap of the same name and uses the ServiceAccount "plugin".
func (n tenant) plugin(t *testing.T, name string, mutate ...func(*pluginsv1alpha1.WasmPluginSpec)) {
	t.Helper()
	wp := &pluginsv1alpha1.WasmPlugin{
		ObjectMeta: n.meta(name),
		Spec: pluginsv1alpha1.WasmPluginSpec{
			Source:             pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: name}},
			ServiceAccountName: "plugin",
		},
	}
	for _, m := range mutate {
		m(&wp.Spec)
	}
	n.create(t, wp)
	// The operator of the next test uses the same API server, and must not load this plugin.
	t.Cleanup(func() {
		if err := n.env.Client.Delete(context.Background(), wp); client.IgnoreNotFound(err) != nil {
			t.Errorf("delete WasmPlugin %s: %v", name, err)
		}
	})
}

// change updates a WasmPlugin's spec.
func (n tenant) change(t *testing.T, name string, mutate func(*pluginsv1alpha1.WasmPluginSpec)) {
	t.Helper()
	testenv.Eventually(t, "change WasmPlugin "+name, func(ctx context.Context) error {
		wp, err := n.get(ctx, name)
		if err != nil {
			return err
		}
		mutate(&wp.Spec)
		return n.env.Client.Update(ctx, wp)
	})
}

func (n tenant) get(ctx context.Context, name string) (*pluginsv1alpha1.WasmPlugin, error) {
	var wp pluginsv1alpha1.WasmPlugin
	err := n.env.Client.Get(ctx, client.ObjectKey{Namespace: n.ns, Name: name}, &wp)
	return &wp, err
}

// category creates a Category.
func (n tenant) category(t *testing.T, name string) {
	t.Helper()
	n.create(t, &inventoryv1alpha1.Category{ObjectMeta: n.meta(name), Spec: inventoryv1alpha1.CategorySpec{Name: name}})
}

// expectCondition waits until a condition of a WasmPlugin has the given status and reason and its message contains all
// parts.
func (n tenant) expectCondition(t *testing.T, name, condition string, status metav1.ConditionStatus, reason string, parts ...string) {
	t.Helper()
	testenv.Eventually(t, fmt.Sprintf("WasmPlugin %s has %s=%s (%s)", name, condition, status, reason), func(ctx context.Context) error {
		wp, err := n.get(ctx, name)
		if err != nil {
			return err
		}
		c := meta.FindStatusCondition(wp.Status.Conditions, condition)
		if c == nil {
			return fmt.Errorf("no condition %s, only %v", condition, wp.Status.Conditions)
		}
		if c.Status != status || c.Reason != reason {
			return fmt.Errorf("%s=%s (%s): %s", condition, c.Status, c.Reason, c.Message)
		}
		if wp.Status.ObservedGeneration != wp.Generation {
			return fmt.Errorf("status is of generation %d, spec of %d", wp.Status.ObservedGeneration, wp.Generation)
		}
		for _, part := range parts {
			if !strings.Contains(c.Message, part) {
				return fmt.Errorf("message %q has no %q", c.Message, part)
			}
		}
		return nil
	})
}

// expectReady waits until the plugin serves the revision that its spec specifies.
func (n tenant) expectReady(t *testing.T, name string) {
	t.Helper()
	n.expectCondition(t, name, pluginsv1alpha1.ConditionReady, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded)
}

// expectAnnotated waits until the annotator has annotated a Category.
func (n tenant) expectAnnotated(t *testing.T, name string) {
	t.Helper()
	testenv.Eventually(t, "Category "+name+" is annotated", func(ctx context.Context) error {
		var c inventoryv1alpha1.Category
		if err := n.env.Client.Get(ctx, client.ObjectKey{Namespace: n.ns, Name: name}, &c); err != nil {
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
	if err := n.env.Client.List(t.Context(), &list, client.InNamespace(n.ns)); err != nil {
		t.Fatal(err)
	}
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

func splitYAML(text string) []string { return strings.Split(text, "\n---\n") }

// bind gives another ServiceAccount the permissions of the ServiceAccount "plugin".
func (n tenant) bind(t *testing.T, account string) {
	t.Helper()
	n.create(t, &rbacv1.RoleBinding{
		ObjectMeta: n.meta(account),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "plugin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.ns, Name: account}},
	})
}

// touch changes an annotation of a WasmPlugin, which triggers a reconcile.
func (n tenant) touch(t *testing.T, name string) {
	t.Helper()
	testenv.Eventually(t, "touch WasmPlugin "+name, func(ctx context.Context) error {
		wp, err := n.get(ctx, name)
		if err != nil {
			return err
		}
		metav1.SetMetaDataAnnotation(&wp.ObjectMeta, "test.k1s.io/touched", wp.ResourceVersion)
		return n.env.Client.Update(ctx, wp)
	})
}
