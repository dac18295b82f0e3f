// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kinds are the kinds of the objects in a snapshot.
var kinds = []schema.GroupVersionKind{
	{Version: "v1", Kind: "Namespace"},
	{Version: "v1", Kind: "Secret"},
	{Version: "v1", Kind: "ConfigMap"},
	{Version: "v1", Kind: "ServiceAccount"},
	{Version: "v1", Kind: "Pod"},
	{Group: "events.k8s.io", Version: "v1", Kind: "Event"},
	{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Item"},
	{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Category"},
	{Group: "plugins.k1s.io", Version: "v1alpha1", Kind: "WasmPlugin"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleBinding"},
	{Group: "certificates.k8s.io", Version: "v1", Kind: "CertificateSigningRequest"},
	{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingWebhookConfiguration"},
}

// snapshot returns all objects of the tenants, and cluster-scoped ones, by kind and name.
func snapshot(t *testing.T, tenants ...tenant) map[string]unstructured.Unstructured {
	t.Helper()
	out := map[string]unstructured.Unstructured{}
	for _, gvk := range kinds {
		all := &unstructured.UnstructuredList{}
		all.SetGroupVersionKind(gvk)
		if err := tenants[0].Client.List(t.Context(), all); err != nil {
			t.Fatalf("list %s: %v", gvk.Kind, err)
		}
		for _, o := range all.Items {
			if o.GetNamespace() == "" || o.GetNamespace() == metav1.NamespaceDefault ||
				slices.ContainsFunc(tenants, func(n tenant) bool { return n.NS == o.GetNamespace() }) {
				out[gvk.Kind+" "+client.ObjectKeyFromObject(&o).String()] = o
			}
		}
	}
	return out
}

// compare reports what tricks have changed: no object may differ from before, and a new object in a namespace must come
// from its own tenant, from the tests, or from the operator as an Event.
func compare(t *testing.T, before, after map[string]unstructured.Unstructured, tenants ...tenant) {
	t.Helper()
	for key, was := range before {
		if is, there := after[key]; !there {
			t.Errorf("%s is gone", key)
		} else if diff := cmp.Diff(was.Object, is.Object); diff != "" {
			t.Errorf("%s is another one (-before +after):\n%s", key, diff)
		}
	}
	for key, o := range after {
		if _, there := before[key]; there {
			continue
		}
		text, err := json.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(tenants, func(n tenant) bool { return n.NS == o.GetNamespace() }) {
			t.Errorf("%s is new: %s", key, text)
		}
		if o.GetLabels()[labelPlugin] != "" {
			continue // a carrier
		}
		writers := []string{}
		for _, f := range o.GetManagedFields() {
			writers = append(writers, f.Manager)
		}
		foreign := func(writer string) bool {
			return slices.ContainsFunc(tenants, func(n tenant) bool {
				return n.NS != o.GetNamespace() && strings.HasPrefix(writer, "k1s/"+n.NS+"/")
			})
		}
		if slices.ContainsFunc(writers, foreign) {
			t.Errorf("%s is another tenant's work: %s", key, text)
		}
	}
}
