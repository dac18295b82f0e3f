// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// Tenant is a namespace in which a test creates plugins.
type Tenant struct {
	*Env

	// NS is the name of the namespace.
	NS string
}

// Meta returns the metadata of an object in the namespace.
func (n Tenant) Meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: n.NS, Name: name}
}

// CreateAccount creates a ServiceAccount, and a Role of the same name for it.
func (n Tenant) CreateAccount(t *testing.T, name string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	n.ServiceAccount(t, n.NS, name)
	n.GrantRole(t, name, AccountSubject(n.NS, name), rules...)
}

// GrantRole creates a Role, and a RoleBinding of the same name for a subject.
func (n Tenant) GrantRole(t *testing.T, name string, subject rbacv1.Subject, rules ...rbacv1.PolicyRule) {
	t.Helper()
	n.Create(t, Role(n.NS, name, rules...), Binding(n.NS, name, name, subject))
}

// Store writes a module, compressed, to a ConfigMap, which it creates or updates.
func (n Tenant) Store(t *testing.T, name string, module []byte) {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(module)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	n.StoreRaw(t, name, packed.Bytes())
}

// StoreRaw is like Store, but does not compress.
func (n Tenant) StoreRaw(t *testing.T, name string, module []byte) {
	t.Helper()
	cm := &corev1.ConfigMap{ObjectMeta: n.Meta(name), BinaryData: map[string][]byte{"plugin.wasm": module}}
	err := n.Client.Create(t.Context(), cm)
	if client.IgnoreAlreadyExists(err) == nil && err != nil {
		err = n.Client.Update(t.Context(), cm)
	}
	if err != nil {
		t.Fatalf("store a module of %d bytes: %v", len(module), err)
	}
}

// WasmPlugin returns a WasmPlugin that loads the ConfigMap of the same name and uses the ServiceAccount "plugin".
func (n Tenant) WasmPlugin(name string, mutate ...func(*pluginsv1alpha1.WasmPluginSpec)) *pluginsv1alpha1.WasmPlugin {
	wp := &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta(name), Spec: pluginsv1alpha1.WasmPluginSpec{
		Source:             pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: name}},
		ServiceAccountName: "plugin",
	}}
	for _, m := range mutate {
		m(&wp.Spec)
	}
	return wp
}

// Plugin creates a WasmPlugin, and deletes it at the end of the test: the operator of the next test uses the same API
// server, and must not load it.
func (n Tenant) Plugin(t *testing.T, name string, mutate ...func(*pluginsv1alpha1.WasmPluginSpec)) {
	t.Helper()
	wp := n.WasmPlugin(name, mutate...)
	n.Create(t, wp)
	t.Cleanup(func() {
		if err := n.Client.Delete(context.Background(), wp); client.IgnoreNotFound(err) != nil {
			t.Errorf("delete WasmPlugin %s: %v", name, err)
		}
	})
}

// GetPlugin reads a WasmPlugin.
func (n Tenant) GetPlugin(ctx context.Context, name string) (*pluginsv1alpha1.WasmPlugin, error) {
	var wp pluginsv1alpha1.WasmPlugin
	err := n.Client.Get(ctx, client.ObjectKey{Namespace: n.NS, Name: name}, &wp)
	return &wp, err
}

// ExpectCondition waits until a condition of a WasmPlugin has the given status and reason, and its message contains all
// parts.
func (n Tenant) ExpectCondition(t *testing.T, name, condition string, status metav1.ConditionStatus, reason string, parts ...string) {
	t.Helper()
	Eventually(t, fmt.Sprintf("WasmPlugin %s/%s has %s=%s (%s)", n.NS, name, condition, status, reason), func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, name)
		if err != nil {
			return err
		}
		c := meta.FindStatusCondition(wp.Status.Conditions, condition)
		if c == nil || c.Status != status || c.Reason != reason || wp.Status.ObservedGeneration != wp.Generation {
			return fmt.Errorf("generation %d has conditions of %d: %+v", wp.Generation, wp.Status.ObservedGeneration, wp.Status.Conditions)
		}
		for _, part := range parts {
			if !strings.Contains(c.Message, part) {
				return fmt.Errorf("message %q has no %q", c.Message, part)
			}
		}
		return nil
	})
}

// ExpectReady waits until plugins serve the revisions that their specs specify.
func (n Tenant) ExpectReady(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		n.ExpectCondition(t, name, pluginsv1alpha1.ConditionReady, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded)
	}
}
