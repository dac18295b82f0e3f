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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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

// inventory is the API group of Items and Categories.
var inventory = inventoryv1alpha1.GroupVersion.Group

// cluster is an API server without an operator.
type cluster struct {
	*testenv.Env

	ctx        context.Context
	namespaces int
}

func (s *session) startCluster() *cluster {
	s.log("starting an API server")
	ctrl.SetLogger(logr.Discard())
	env := must(testenv.Start())
	s.onClose(env.Stop)
	return &cluster{Env: env, ctx: s.ctx}
}

// tenant is a namespace with the ServiceAccount "plugin", which has the permissions of a plugin on the inventory.
type tenant struct {
	*cluster

	ns string
}

func (c *cluster) newTenant() tenant {
	c.namespaces++
	t := tenant{cluster: c, ns: fmt.Sprintf("bench-%d", c.namespaces)}
	t.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.ns}}, &corev1.ServiceAccount{ObjectMeta: t.meta("plugin")})
	t.grant("plugin",
		rbacv1.PolicyRule{APIGroups: []string{inventory}, Resources: []string{"items", "categories"}, Verbs: []string{"get", "list", "watch", "patch"}},
		rbacv1.PolicyRule{APIGroups: []string{inventory}, Resources: []string{"items/status", "categories/status"}, Verbs: []string{"patch"}},
		rbacv1.PolicyRule{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create"}})
	return t
}

// grant gives the ServiceAccount permissions, with a Role and a RoleBinding of the given name.
func (t tenant) grant(name string, rules ...rbacv1.PolicyRule) {
	t.create(
		&rbacv1.Role{ObjectMeta: t.meta(name), Rules: rules},
		&rbacv1.RoleBinding{
			ObjectMeta: t.meta(name),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: t.ns, Name: "plugin"}},
		})
}

func (t tenant) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: t.ns, Name: name}
}

func (t tenant) create(objects ...client.Object) {
	for _, o := range objects {
		if err := t.Client.Create(t.ctx, o); err != nil {
			check(fmt.Errorf("create %T %q: %w", o, o.GetName(), err))
		}
	}
}

// store writes a module to a ConfigMap, which it creates or updates.
func (t tenant) store(name string, module []byte) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	must(w.Write(module))
	check(w.Close())
	cm := &corev1.ConfigMap{ObjectMeta: t.meta(name), BinaryData: map[string][]byte{"plugin.wasm": packed.Bytes()}}
	err := t.Client.Create(t.ctx, cm)
	if apierrors.IsAlreadyExists(err) {
		err = t.Client.Update(t.ctx, cm)
	}
	check(err)
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

// serve creates a plugin and waits until it serves. The returned function deletes it, so that it does not use the
// machine during other measurements.
func (t tenant) serve(name, settings string, module []byte) (remove func()) {
	wp := t.wasmPlugin(name, settings)
	t.store(name, module)
	t.create(wp)
	t.await(name, plugin.DigestOf(module))
	return func() { check(t.Client.Delete(context.WithoutCancel(t.ctx), wp)) }
}

// await waits until a plugin is Ready with the given module.
func (t tenant) await(name string, digest plugin.Digest) {
	t.poll(func() error {
		var wp pluginsv1alpha1.WasmPlugin
		check(t.Client.Get(t.ctx, client.ObjectKey{Namespace: t.ns, Name: name}, &wp))
		if err := serves(&wp, digest); err != nil {
			return fmt.Errorf("plugin %q does not serve: %w", name, err)
		}
		return nil
	})
}

// poll waits until a function returns nil. The function can call check, too.
func (c *cluster) poll(ready func() error) {
	check(testenv.Poll(c.ctx, patience, func(context.Context) error {
		return try(func() { check(ready()) })
	}))
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
