// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

// TestRestrictedClient_write_fieldManager finds the plugin in managedFields after every kind of write.
func TestRestrictedClient_write_fieldManager(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		if slices.Contains([]string{"get", "list", "delete", "event"}, op.name) {
			continue
		}
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			w := newTestCluster(t)
			w.thing(t, w.namespace)
			w.Grant(t, w.namespace, op.verb+",create,patch", items.Group, op.resource, "items")
			out, err := op.do(asAdmin(t, w), w.client(t), w.namespace)
			if err != nil {
				t.Fatal(err)
			}
			var item inventoryv1alpha1.Item
			if err := json.Unmarshal(out, &item); err != nil {
				t.Fatal(err)
			}
			want := "k1s/" + w.namespace + "/tester"
			if !slices.ContainsFunc(item.ManagedFields, func(f metav1.ManagedFieldsEntry) bool { return f.Manager == want }) {
				t.Errorf("managedFields without %q: %+v", want, item.ManagedFields)
			}
		})
	}
}

// TestRestrictedClient_write_longestNames has the longest field manager that names can result in.
func TestRestrictedClient_write_longestNames(t *testing.T) {
	t.Parallel()
	id := rbac.Identity{Namespace: repeat("n", 63), Plugin: repeat("p", 60)}
	if n := len(id.FieldManager()); n > 128 {
		t.Errorf("the field manager has %d characters, and the API server takes 128", n)
	}
}

// TestRestrictedClient_write_foreignNamespace tries to reach another namespace with different namespaces in the key and
// in the body. The ServiceAccount is allowed everything everywhere: only the allowlist denies the request.
func TestRestrictedClient_write_foreignNamespace(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	foreign := w.Namespace(t)
	w.thing(t, w.namespace)
	w.thing(t, foreign)
	w.Grant(t, "", "*", items.Group, "items", "items/status")
	c := w.client(t)
	item := func(metadata string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"apiVersion":%q,"kind":"Item",%s,"spec":{"name":"stolen"}}`, items.GroupVersion(), metadata))
	}
	twice := item(fmt.Sprintf(`"metadata":{"name":"thing","namespace":%q},"metadata":{"name":"thing","namespace":%q}`, w.namespace, foreign))
	cased := item(fmt.Sprintf(`"metadata":{"name":"thing","namespace":%q,"Namespace":%q}`, foreign, w.namespace))
	inner := item(fmt.Sprintf(`"metadata":{"name":"thing","namespace":%q}`, foreign))
	key := itemKey(w.namespace, "thing")
	cases := []struct {
		name string
		do   func() ([]byte, error)
	}{
		{"create", func() ([]byte, error) { return c.Create(t.Context(), abi.WriteRequest{Object: inner}) }},
		{"update", func() ([]byte, error) { return c.Update(t.Context(), abi.WriteRequest{Object: inner}) }},
		{"update, member twice", func() ([]byte, error) { return c.Update(t.Context(), abi.WriteRequest{Object: twice}) }},
		{"update, member in two cases", func() ([]byte, error) { return c.Update(t.Context(), abi.WriteRequest{Object: cased}) }},
		{"apply", func() ([]byte, error) { return c.Apply(t.Context(), abi.ApplyRequest{Object: inner, Force: true}) }},
		{"apply, member in two cases", func() ([]byte, error) { return c.Apply(t.Context(), abi.ApplyRequest{Object: cased, Force: true}) }},
		{"patch that moves the object", func() ([]byte, error) {
			return c.Patch(t.Context(), abi.PatchRequest{ObjectKey: key, PatchType: abi.PatchMerge, Patch: inner})
		}},
		{"apply patch for another object", func() ([]byte, error) {
			return c.Patch(t.Context(), abi.PatchRequest{ObjectKey: key, PatchType: abi.PatchApply, Patch: inner, Force: true})
		}},
		{"status patch that moves the object", func() ([]byte, error) {
			return c.PatchStatus(t.Context(), abi.PatchRequest{ObjectKey: key, PatchType: abi.PatchApply, Patch: inner, Force: true})
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.do()
			for _, namespace := range []string{foreign, w.namespace} {
				var got inventoryv1alpha1.Item
				w.Get(t, client.ObjectKey{Namespace: namespace, Name: "thing"}, &got)
				if namespace == foreign && got.Spec.Name != "thing" {
					t.Fatalf("the object in the other namespace was changed")
				}
			}
			if err == nil {
				t.Error("it was not denied")
			}
		})
	}
}

// TestRestrictedClient_write_anotherKind has one kind in the object, and tries to write another one.
func TestRestrictedClient_write_anotherKind(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "*", "", "configmaps", "secrets")
	c := w.client(t, func(o *Options) { o.Allowlist.Resources = []string{"configmaps"} })
	for name, object := range map[string]string{
		"secret":                 `{"apiVersion":"v1","kind":"Secret","metadata":{"namespace":%q,"name":"s"}}`,
		"secret, then configmap": `{"apiVersion":"v1","kind":"Secret","Kind":"ConfigMap","metadata":{"namespace":%q,"name":"s"}}`,
		"configmap, then secret": `{"apiVersion":"v1","kind":"ConfigMap","Kind":"Secret","metadata":{"namespace":%q,"name":"s"}}`,
		"twice":                  `{"apiVersion":"v1","kind":"Secret","kind":"ConfigMap","kind":"Secret","metadata":{"namespace":%q,"name":"s"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Create(t.Context(), abi.WriteRequest{Object: fmt.Appendf(nil, object, w.namespace)})
			t.Logf("answer: %v", err) // a ConfigMap may be created from it, but not a Secret
			if err := w.Client.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "s"}, &corev1.Secret{}); !apierrors.IsNotFound(err) {
				t.Fatalf("the Secret: got %v, want that there is none", err)
			}
		})
	}
}

// TestRestrictedClient_apply_create applies an object that does not exist, which needs permission to create it.
func TestRestrictedClient_apply_create(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "patch", items.Group, "items")
	object := itemJSON(w.namespace, "new", `"spec":{"name":"new"}`)

	c := w.client(t, func(o *Options) { o.Allowlist.Verbs = []string{"patch"} })
	w.requests.Reset()
	_, err := c.Apply(t.Context(), abi.ApplyRequest{Object: object})
	wantDenial(t, err, metav1.StatusReasonForbidden, "allowlist: cannot create ", `security.allowedVerbs does not have "create" (apply may create)`)
	_, err = c.Patch(t.Context(), abi.PatchRequest{ObjectKey: itemKey(w.namespace, "new"), PatchType: abi.PatchApply, Patch: object})
	wantDenial(t, err, metav1.StatusReasonForbidden, "allowlist: cannot create ")
	w.requests.None(t)

	_, err = w.client(t).Apply(t.Context(), abi.ApplyRequest{Object: object})
	wantDenial(t, err, metav1.StatusReasonForbidden, `cannot create resource "items"`)

	w.Grant(t, w.namespace, "create", items.Group, "items")
	w.eventually(t, "apply creates", func() error {
		_, err := w.client(t).Apply(t.Context(), abi.ApplyRequest{Object: object})
		return err
	})
}

// TestRestrictedClient_apply_conflict does not change the fields of others unless it is forced.
func TestRestrictedClient_apply_conflict(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.Grant(t, w.namespace, "create,patch", items.Group, "items")
	object := itemJSON(w.namespace, "thing", `"spec":{"name":"mine"}`)
	_, err := w.client(t).Apply(t.Context(), abi.ApplyRequest{Object: object})
	wantDenial(t, err, metav1.StatusReasonConflict)
	if _, err := w.client(t).Apply(t.Context(), abi.ApplyRequest{Object: object, Force: true}); err != nil {
		t.Errorf("with force: %v", err)
	}
}

// TestRestrictedClient_update_mayCreate: for some built-in kinds, the API server creates an object that an update does
// not find. A plugin without the verb create must not be able to create one that way.
func TestRestrictedClient_update_mayCreate(t *testing.T) {
	t.Parallel()
	const uid = "00000000-0000-0000-0000-000000000000"
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "update,create", "coordination.k8s.io", "leases")
	update := func(c *RestrictedClient, name, metadata string) error {
		lease := fmt.Sprintf(`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"namespace":%q,"name":%q%s},"spec":{}}`, w.namespace, name, metadata)
		_, err := c.Update(t.Context(), abi.WriteRequest{Object: json.RawMessage(lease)})
		return err
	}
	c := w.client(t, func(o *Options) { o.Allowlist.Verbs = []string{"update"} })
	cases := []struct {
		name, metadata string
		reason         metav1.StatusReason
	}{
		{"nothing", ``, metav1.StatusReasonForbidden},
		{"resource-version", `,"resourceVersion":"1"`, metav1.StatusReasonForbidden},
		{"member-in-another-case", `,"UID":"` + uid + `"`, metav1.StatusReasonForbidden},
		{"uid", `,"uid":"` + uid + `"`, metav1.StatusReasonConflict}, // the API server's own response
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			wantDenial(t, update(c, tc.name, tc.metadata), tc.reason)
			var lease coordinationv1.Lease
			if err := w.Client.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: tc.name}, &lease); !apierrors.IsNotFound(err) {
				t.Errorf("the Lease: got %v, want that there is none", err)
			}
		})
	}
	t.Run("with the verb create", func(t *testing.T) {
		if err := update(w.client(t), "created", ""); err != nil {
			t.Error(err)
		}
	})
	t.Run("of an object that is there", func(t *testing.T) {
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "there"}}
		w.Create(t, lease)
		if err := update(c, "there", fmt.Sprintf(`,"uid":%q,"resourceVersion":%q`, lease.UID, lease.ResourceVersion)); err != nil {
			t.Error(err)
		}
	})
	t.Run("of a custom resource", func(t *testing.T) {
		w.Grant(t, w.namespace, "update", items.Group, "items")
		item := w.thing(t, w.namespace)
		object := itemJSON(w.namespace, "thing", `"spec":{"name":"updated"}`, fmt.Sprintf(`"resourceVersion":%q`, item.ResourceVersion))
		if _, err := c.Update(t.Context(), abi.WriteRequest{Object: object}); err != nil {
			t.Errorf("the API server never creates these, so no UID is needed: %v", err)
		}
	})
}

// TestRestrictedClient_status_mayCreate: even a write of the status of a Service creates one that does not exist.
func TestRestrictedClient_status_mayCreate(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "*", "", "services/status", "services")
	c := w.client(t, func(o *Options) { o.Allowlist.Resources = []string{"services/status"} })
	service := json.RawMessage(fmt.Sprintf(
		`{"apiVersion":"v1","kind":"Service","metadata":{"namespace":%q,"name":"new"},"spec":{"ports":[{"port":80}]}}`, w.namespace))

	_, err := c.UpdateStatus(t.Context(), abi.WriteRequest{Object: service})
	wantDenial(t, err, metav1.StatusReasonForbidden, "allowlist: cannot create services")
	key := abi.ObjectKey{APIVersion: "v1", Kind: "Service", Namespace: w.namespace, Name: "new"}
	_, err = c.PatchStatus(t.Context(), abi.PatchRequest{ObjectKey: key, PatchType: abi.PatchApply, Patch: service})
	wantDenial(t, err, metav1.StatusReasonForbidden, "allowlist: cannot create services")
	if err := w.Client.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "new"}, &corev1.Service{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Service: got %v, want that there is none", err)
	}

	w.Grant(t, w.namespace, "patch", items.Group, "items/status")
	w.thing(t, w.namespace)
	c = w.client(t, func(o *Options) { o.Allowlist.Verbs = []string{"patch"} })
	_, err = c.PatchStatus(t.Context(), abi.PatchRequest{
		ObjectKey: itemKey(w.namespace, "thing"), PatchType: abi.PatchApply,
		Patch: itemJSON(w.namespace, "thing", `"status":{"availability":"Reserved"}`),
	})
	if err != nil {
		t.Errorf("applying the status of a custom resource creates nothing: %v", err)
	}
}
