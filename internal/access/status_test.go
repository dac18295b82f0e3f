// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
)

const someTime = "2026-01-02T03:04:05Z"

// TestRestrictedClient_status_applyOnly denies every write of a status other than server-side apply, whatever the
// permissions of the ServiceAccount, and without asking the API server.
func TestRestrictedClient_status_applyOnly(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.Grant(t, w.namespace, "*", items.Group, "items/status", "items")
	c := w.client(t)
	for patchType, patch := range map[abi.PatchType]string{
		abi.PatchMerge: `{"status":{"availability":"Reserved"}}`, abi.PatchStrategic: `{"status":{"availability":"Reserved"}}`,
		abi.PatchJSON: `[{"op":"add","path":"/status","value":{"availability":"Reserved"}}]`,
	} {
		t.Run(string(patchType), func(t *testing.T) {
			w.requests.Reset()
			_, err := c.PatchStatus(t.Context(), abi.PatchRequest{ObjectKey: itemKey(w.namespace, "thing"), PatchType: patchType, Patch: json.RawMessage(patch)})
			wantDenial(t, err, metav1.StatusReasonForbidden, "capability: ", "the status is written by apply only: use patchType apply")
			w.requests.None(t)
		})
	}
	if got := w.status(t); got.Availability != "" {
		t.Errorf("the status is %+v", got)
	}
}

// TestRestrictedClient_updateStatus applies only the status of an object that was read, with all its fields, and does
// not change the fields of others.
func TestRestrictedClient_updateStatus(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.Grant(t, w.namespace, "patch,get", items.Group, "items/status", "items")
	c := w.client(t, func(o *Options) { o.Allowlist.Verbs = []string{"get", "patch"} })
	update := func(members string, metadata ...string) error {
		_, err := c.UpdateStatus(t.Context(), abi.WriteRequest{Object: itemJSON(w.namespace, "thing", members, metadata...)})
		return err
	}
	w.apply(t, "another", `"status":{"lastUpdated":"`+someTime+`"}`)

	read, err := c.Get(t.Context(), itemKey(w.namespace, "thing")) // with managedFields, which cannot be applied
	if err != nil {
		t.Fatal(err)
	}
	object := decode(t, read)
	object["spec"] = map[string]any{"name": "changed"}
	object["status"] = map[string]any{"availability": "Reserved"}
	changed, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateStatus(t.Context(), abi.WriteRequest{Object: changed}); err != nil {
		t.Fatal(err)
	}
	got := w.status(t)
	if got.Availability != "Reserved" || got.LastUpdated.IsZero() {
		t.Errorf("the status is %+v, want what both have applied", got)
	}

	err = update(`"status":{"availability":"OutOfStock","lastUpdated":"2027-01-02T03:04:05Z"}`)
	wantDenial(t, err, metav1.StatusReasonConflict, `conflict with "another"`)
	err = update(`"status":{"availability":"OutOfStock"}`, `"resourceVersion":"1"`)
	wantDenial(t, err, metav1.StatusReasonConflict)
	if got := w.status(t); got.Availability != "Reserved" {
		t.Errorf("availability is %q", got.Availability)
	}

	if err := update(`"status":null`); err != nil {
		t.Fatal(err)
	}
	if got := w.status(t); got.Availability != "" || got.LastUpdated.IsZero() {
		t.Errorf("the status is %+v, want what another has applied and nothing else", got)
	}
}

// TestRestrictedClient_updateStatus_badRequests rejects objects that do not name one object with a status.
func TestRestrictedClient_updateStatus_badRequests(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	c := w.client(t)
	for object, part := range map[string]string{
		``:     "object: ",
		`[]`:   "object: ",
		`null`: "object has no apiVersion or no kind",
		`{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"x"}}`:                 "name is empty",
		`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","namespace":"a/../b"}}`: "namespace",
	} {
		_, err := c.UpdateStatus(t.Context(), abi.WriteRequest{Object: json.RawMessage(object)})
		wantDenial(t, err, metav1.StatusReasonBadRequest, part)
	}
}

// apply applies fields of the Item "thing" with another field manager.
func (w *testCluster) apply(t *testing.T, manager, members string) {
	t.Helper()
	item := &inventoryv1alpha1.Item{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "thing"}}
	patch := client.RawPatch("application/apply-patch+yaml", itemJSON(w.namespace, "thing", members))
	if err := w.Client.Status().Patch(t.Context(), item, patch, client.FieldOwner(manager)); err != nil {
		t.Fatal(fmt.Errorf("apply as %s: %w", manager, err))
	}
}

// status returns the status of the Item "thing".
func (w *testCluster) status(t *testing.T) inventoryv1alpha1.ItemStatus {
	t.Helper()
	var item inventoryv1alpha1.Item
	if err := w.Client.Get(context.Background(), client.ObjectKey{Namespace: w.namespace, Name: "thing"}, &item); err != nil {
		t.Fatal(err)
	}
	if item.Spec.Name != "thing" {
		t.Errorf("spec.name is %q: more than the status was written", item.Spec.Name)
	}
	return item.Status
}
