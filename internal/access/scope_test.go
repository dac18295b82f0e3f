// SPDX-License-Identifier: Apache-2.0

package access

import (
	"net"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

// TestRestrictedClient_list_allNamespaces needs "*" in the allowlist, and the permission in the whole cluster.
func TestRestrictedClient_list_allNamespaces(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	all := abi.ListRequest{APIVersion: items.GroupVersion().String(), Kind: "Item"}
	w.Grant(t, w.namespace, "list", items.Group, "items")

	_, err := w.client(t).List(t.Context(), all)
	wantDenial(t, err, metav1.StatusReasonForbidden, "allowlist: cannot list items.inventory.example.com in all namespaces", `does not have "*"`)
	_, err = w.client(t, allowAll).List(t.Context(), all)
	wantDenial(t, err, metav1.StatusReasonForbidden, `cannot list resource "items" in API group "inventory.example.com" at the cluster scope`)
	w.Grant(t, "", "list", items.Group, "items")
	if _, err := w.client(t, allowAll).List(t.Context(), all); err != nil {
		t.Error(err)
	}
}

// TestRestrictedClient_clusterScoped needs "*" in the allowlist even for one object.
func TestRestrictedClient_clusterScoped(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	key := abi.ObjectKey{APIVersion: "v1", Kind: "Namespace", Name: w.namespace}
	patch := abi.PatchRequest{ObjectKey: key, PatchType: abi.PatchMerge, Patch: []byte(`{"metadata":{"labels":{"patched":"true"}}}`)}

	_, err := w.client(t).Get(t.Context(), key)
	wantDenial(t, err, metav1.StatusReasonForbidden, "allowlist: cannot get namespaces", "(cluster-scoped)", `does not have "*"`)
	_, err = w.client(t).Patch(t.Context(), patch)
	wantDenial(t, err, metav1.StatusReasonForbidden, "allowlist: ")
	_, err = w.client(t, allowAll).Get(t.Context(), key)
	wantDenial(t, err, metav1.StatusReasonForbidden, `cannot get resource "namespaces"`)

	w.Grant(t, "", "get,patch", "", "namespaces")
	c := w.client(t, allowAll)
	if _, err := c.Get(t.Context(), key); err != nil {
		t.Error(err)
	}
	if _, err := c.Patch(t.Context(), patch); err != nil {
		t.Error(err)
	}
	var ns corev1.Namespace
	if err := w.Client.Get(t.Context(), client.ObjectKey{Name: w.namespace}, &ns); err != nil || ns.Labels["patched"] != "true" {
		t.Errorf("the Namespace was not patched: %v, %v", ns.Labels, err)
	}
}

// TestRestrictedClient_delete_preconditions deletes an object only in the state that the guest has read.
func TestRestrictedClient_delete_preconditions(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "delete", items.Group, "items")
	c := w.client(t)
	item := w.thing(t, w.namespace)
	request := func(uid, version string) abi.DeleteRequest {
		return abi.DeleteRequest{ObjectKey: itemKey(w.namespace, "thing"), UID: uid, ResourceVersion: version}
	}
	uid, version := string(item.UID), item.ResourceVersion
	for _, bad := range []abi.DeleteRequest{request("another", ""), request("", "1"), request(uid, "1"), request("another", version)} {
		wantDenial(t, c.Delete(t.Context(), bad), metav1.StatusReasonConflict)
	}
	w.Get(t, client.ObjectKeyFromObject(item), item)
	if err := c.Delete(t.Context(), request(uid, version)); err != nil {
		t.Errorf("with the right preconditions: %v", err)
	}
	if err := w.Client.Get(t.Context(), client.ObjectKeyFromObject(item), item); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want that it is gone", err)
	}
	wantDenial(t, c.Delete(t.Context(), request("", "")), metav1.StatusReasonNotFound, `"thing" not found`)
}

// TestRestrictedClient_delete_propagation checks that the policy reaches the API server.
func TestRestrictedClient_delete_propagation(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "delete", items.Group, "items")
	for policy, finalizer := range map[string]string{"": "", "Background": "", "Foreground": "foregroundDeletion", "Orphan": "orphan"} {
		item := w.thing(t, w.namespace)
		if err := w.client(t).Delete(t.Context(), abi.DeleteRequest{ObjectKey: itemKey(w.namespace, "thing"), PropagationPolicy: policy}); err != nil {
			t.Fatalf("%q: %v", policy, err)
		}
		err := w.Client.Get(t.Context(), client.ObjectKeyFromObject(item), item)
		if finalizer == "" {
			if !apierrors.IsNotFound(err) {
				t.Errorf("%q: got %v, want that it is gone", policy, err)
			}
			continue
		}
		if err != nil || len(item.Finalizers) != 1 || item.Finalizers[0] != finalizer {
			t.Errorf("%q: finalizers are %q (%v), want %q", policy, item.Finalizers, err, finalizer)
		}
		item.Finalizers = nil // no garbage collector runs here
		w.Update(t, item)
	}
}

// TestRestrictedClient_unreachable returns an error, not a denial, if the API server does not respond.
func TestRestrictedClient_unreachable(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.cache(t, items)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := &rest.Config{Host: "http://" + listener.Addr().String()}
	_ = listener.Close()
	reviews, err := authorizationv1client.NewForConfig(nobody)
	if err != nil {
		t.Fatal(err)
	}
	w.factory = NewFactory(nobody, w.factory.kinds, w.watches, rbac.NewAuthorizer(reviews, w.clock), w.clock)
	for _, op := range operations() {
		_, err := op.do(t.Context(), w.client(t), w.namespace)
		if reason, _ := statusOf(err); err == nil || reason == metav1.StatusReasonForbidden {
			t.Errorf("%s: got %v, want an error that is no denial", op.name, err)
		}
	}
	_, err = w.client(t, watching(items)).Get(t.Context(), itemKey(w.namespace, "thing"))
	wantDenial(t, err, metav1.StatusReasonInternalError, "rbac: review whether")
}

// TestRestrictedClient_revoked loses a permission: at once for requests to the API server, and when the decision
// expires for reads of the cache.
func TestRestrictedClient_revoked(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.cache(t, items)
	w.Grant(t, w.namespace, "get", items.Group, "items")
	cached, direct := w.client(t, watching(items)), w.client(t)
	for _, c := range []*RestrictedClient{cached, direct} {
		if _, err := c.Get(t.Context(), itemKey(w.namespace, "thing")); err != nil {
			t.Fatal(err)
		}
	}
	w.Revoke(t, "get", items.Group, "items")
	_, err := direct.Get(t.Context(), itemKey(w.namespace, "thing"))
	wantDenial(t, err, metav1.StatusReasonForbidden, "cannot get")
	w.clock.Step(time.Hour)
	_, err = cached.Get(t.Context(), itemKey(w.namespace, "thing"))
	wantDenial(t, err, metav1.StatusReasonForbidden, "rbac: ")
}
