// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

// patience bounds every wait for the cluster.
const patience = 2 * time.Minute

// cluster is an API server without an operator.
type cluster struct {
	*testenv.Env

	namespaces int
}

// useCluster returns the API server, which it starts when it is called for the first time.
func (s *session) useCluster() (*cluster, error) {
	return s.cluster.get(func() (*cluster, error) {
		s.log("starting an API server")
		ctrl.SetLogger(logr.Discard())
		env, err := testenv.Start()
		if err != nil {
			return nil, err
		}
		s.onClose(env.Stop)
		return &cluster{Env: env}, nil
	})
}

// tenant is a namespace with the ServiceAccount "plugin", which has the permissions of a plugin on the inventory.
type tenant struct {
	*cluster

	ns string
}

func (c *cluster) newTenant(ctx context.Context) (tenant, error) {
	c.namespaces++
	t := tenant{cluster: c, ns: fmt.Sprintf("bench-%d", c.namespaces)}
	err := c.create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.ns}},
		&corev1.ServiceAccount{ObjectMeta: t.meta("plugin")},
		&rbacv1.Role{ObjectMeta: t.meta("plugin"), Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{inventoryv1alpha1.GroupVersion.Group}, Resources: []string{"items", "categories"}, Verbs: []string{"get", "list", "watch", "patch"}},
			{APIGroups: []string{inventoryv1alpha1.GroupVersion.Group}, Resources: []string{"items/status", "categories/status"}, Verbs: []string{"patch"}},
			{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create"}},
		}},
		&rbacv1.RoleBinding{
			ObjectMeta: t.meta("plugin"),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "plugin"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: t.ns, Name: "plugin"}},
		})
	return t, err
}

func (t tenant) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: t.ns, Name: name}
}

func (c *cluster) create(ctx context.Context, objects ...client.Object) error {
	for _, o := range objects {
		if err := c.Client.Create(ctx, o); err != nil {
			return fmt.Errorf("create %T %q: %w", o, o.GetName(), err)
		}
	}
	return nil
}

// store writes a module to a ConfigMap, which it creates or updates.
func (t tenant) store(ctx context.Context, name string, module []byte) error {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(module); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	cm := &corev1.ConfigMap{ObjectMeta: t.meta(name), BinaryData: map[string][]byte{"plugin.wasm": packed.Bytes()}}
	err := t.Client.Create(ctx, cm)
	if err != nil && client.IgnoreAlreadyExists(err) == nil {
		err = t.Client.Update(ctx, cm)
	}
	return err
}

// wasmPlugin returns a WasmPlugin that loads the ConfigMap of the same name.
func (t tenant) wasmPlugin(name, settings string) *pluginsv1alpha1.WasmPlugin {
	return &pluginsv1alpha1.WasmPlugin{
		ObjectMeta: t.meta(name),
		Spec: pluginsv1alpha1.WasmPluginSpec{
			Source:             pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: name}},
			ServiceAccountName: "plugin",
			Settings:           &runtime.RawExtension{Raw: []byte(settings)},
		},
	}
}

// serve creates a plugin and waits until it serves.
func (t tenant) serve(ctx context.Context, name, settings string, module []byte) error {
	if err := t.store(ctx, name, module); err != nil {
		return err
	}
	if err := t.create(ctx, t.wasmPlugin(name, settings)); err != nil {
		return err
	}
	return t.await(ctx, name, plugin.DigestOf(module))
}

// await waits until a plugin is Ready with the given module.
func (t tenant) await(ctx context.Context, name string, digest plugin.Digest) error {
	err := testenv.Poll(ctx, patience, func(ctx context.Context) error {
		var wp pluginsv1alpha1.WasmPlugin
		if err := t.Client.Get(ctx, client.ObjectKey{Namespace: t.ns, Name: name}, &wp); err != nil {
			return err
		}
		return serves(&wp, digest)
	})
	if err != nil {
		return fmt.Errorf("plugin %q does not serve: %w", name, err)
	}
	return nil
}

// serves returns an error that says why a plugin is not Ready with the given module; "" stands for any module.
func serves(wp *pluginsv1alpha1.WasmPlugin, digest plugin.Digest) error {
	ready := meta.FindStatusCondition(wp.Status.Conditions, pluginsv1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return errors.New("it has no condition Ready")
	case ready.Status != metav1.ConditionTrue:
		return fmt.Errorf("%s: %s", ready.Reason, ready.Message)
	case wp.Status.Revision == nil || digest != "" && wp.Status.Revision.Digest != digest.String():
		return errors.New("another revision serves")
	}
	return nil
}

// remove deletes a plugin, so that it does not use the machine during other measurements.
func (t tenant) remove(ctx context.Context, name string) error {
	return client.IgnoreNotFound(t.Client.Delete(ctx, &pluginsv1alpha1.WasmPlugin{ObjectMeta: t.meta(name)}))
}
