// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// pluginName is the name of each plugin in its namespace, and of its ServiceAccount, Role, RoleBinding and ConfigMap.
const pluginName = "plugin"

// root is the name of the Category that can be the parent of the other Categories of a plugin. It is never deleted.
const root = "root"

// tenant is a plugin with its own namespace, ServiceAccount and Categories.
type tenant struct {
	client client.Client
	ns     string
	module module

	mu      sync.Mutex
	version int
	stored  plugin.Digest
	next    int // the number of the next Category
}

func (t *tenant) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: t.ns, Name: name}
}

// create creates everything that a plugin needs.
func (t *tenant) create(ctx context.Context) error {
	group := []string{inventoryv1alpha1.GroupVersion.Group}
	config, err := t.config(0)
	if err != nil {
		return err
	}
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.ns}},
		&corev1.ServiceAccount{ObjectMeta: t.meta(pluginName)},
		&rbacv1.Role{ObjectMeta: t.meta(pluginName), Rules: []rbacv1.PolicyRule{
			{APIGroups: group, Resources: []string{"categories"}, Verbs: []string{"get", "list", "watch", "patch"}},
			{APIGroups: group, Resources: []string{"categories/status"}, Verbs: []string{"patch"}},
			{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create"}},
		}},
		&rbacv1.RoleBinding{
			ObjectMeta: t.meta(pluginName),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: pluginName},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: t.ns, Name: pluginName}},
		},
		config,
		&pluginsv1alpha1.WasmPlugin{ObjectMeta: t.meta(pluginName), Spec: pluginsv1alpha1.WasmPluginSpec{
			Source:             pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: pluginName}},
			ServiceAccountName: pluginName,
		}},
		t.category(root),
	} {
		if err := t.client.Create(ctx, object); err != nil {
			return fmt.Errorf("create %T: %w", object, err)
		}
	}
	return nil
}

// config returns the ConfigMap with a version of the module, which is compressed because a ConfigMap holds at most 1
// MiB.
func (t *tenant) config(version int) (*corev1.ConfigMap, error) {
	module := t.module.version(version)
	t.stored = plugin.DigestOf(module)
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(module); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &corev1.ConfigMap{ObjectMeta: t.meta(pluginName), BinaryData: map[string][]byte{"plugin.wasm": packed.Bytes()}}, nil
}

// swap replaces the stored version with the next one. After an error, either of them can be stored.
func (t *tenant) swap(ctx context.Context) error {
	t.mu.Lock()
	t.version++
	t.mu.Unlock()
	return t.store(ctx)
}

// store stores the current version of the module in the ConfigMap.
func (t *tenant) store(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	config, err := t.config(t.version)
	if err != nil {
		return err
	}
	return t.client.Update(ctx, config)
}

func (t *tenant) category(name string) *inventoryv1alpha1.Category {
	return &inventoryv1alpha1.Category{ObjectMeta: t.meta(name), Spec: inventoryv1alpha1.CategorySpec{Name: name}}
}

// change creates, changes or deletes a Category, so that there are about as many as given.
func (t *tenant) change(ctx context.Context, about int) error {
	var list inventoryv1alpha1.CategoryList
	if err := t.client.List(ctx, &list, client.InNamespace(t.ns)); err != nil {
		return err
	}
	dice := rand.IntN(10)
	if n := len(list.Items); n <= about/2 || dice < 2 && n < 2*about {
		t.mu.Lock()
		t.next++
		name := fmt.Sprintf("c-%05d", t.next)
		t.mu.Unlock()
		return t.client.Create(ctx, t.category(name))
	}
	c := &list.Items[rand.IntN(len(list.Items))]
	if dice < 4 && c.Name != root {
		return client.IgnoreNotFound(t.client.Delete(ctx, c))
	}
	patch := client.MergeFrom(c.DeepCopy())
	c.Spec.Description = fmt.Sprintf("changed %d times", c.Generation)
	if c.Name != root {
		c.Spec.Parent = map[string]string{"": root, root: ""}[c.Spec.Parent]
	}
	return client.IgnoreNotFound(t.client.Patch(ctx, c, patch))
}

// isServing returns an error that says why the plugin does not serve the stored version.
func (t *tenant) isServing(ctx context.Context) error {
	var wp pluginsv1alpha1.WasmPlugin
	if err := t.client.Get(ctx, client.ObjectKey{Namespace: t.ns, Name: pluginName}, &wp); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if wp.Status.Revision == nil || wp.Status.Revision.Digest != t.stored.String() {
		return fmt.Errorf("%s serves %+v, want version %d: %s", t.ns, wp.Status.Revision, t.version, wp.Status.LastError)
	}
	if !meta.IsStatusConditionTrue(wp.Status.Conditions, pluginsv1alpha1.ConditionReady) {
		return fmt.Errorf("%s is not ready: %+v", t.ns, wp.Status.Conditions)
	}
	return nil
}

// answered returns the number of checked Categories, and an error for the first one that the plugin has not reconciled
// in its current generation.
func (t *tenant) answered(ctx context.Context) (checked int, err error) {
	var list inventoryv1alpha1.CategoryList
	if err := t.client.List(ctx, &list, client.InNamespace(t.ns)); err != nil {
		return 0, err
	}
	for _, c := range list.Items {
		if got, want := t.module.answer(&c), t.module.want(&c, t.version); got != want {
			return checked, fmt.Errorf("%s/%s of generation %d was answered by %q, want %q", t.ns, c.Name, c.Generation, got, want)
		}
		checked++
	}
	return checked, nil
}
