// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/abi"
)

// TestRestrictedClient_names tries names that would result in another URL than the one that was checked.
func TestRestrictedClient_names(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, "", "*", "*", "*")
	c := w.client(t, allowAll)
	bad := []string{"..", ".", "a/b", "../secrets/x", "a%2fb", "/", "%", "thing/status"}
	for _, text := range bad {
		t.Run(text, func(t *testing.T) {
			w.requests.Reset()
			for _, op := range []struct {
				name string
				do   func() error
			}{
				{"get by name", func() error { _, err := c.Get(t.Context(), itemKey(w.namespace, text)); return err }},
				{"get in namespace", func() error { _, err := c.Get(t.Context(), itemKey(text, "thing")); return err }},
				{"list", func() error {
					_, err := c.List(t.Context(), abi.ListRequest{APIVersion: items.GroupVersion().String(), Kind: "Item", Namespace: text})
					return err
				}},
				{"create", func() error {
					_, err := c.Create(t.Context(), abi.WriteRequest{Object: itemJSON(text, "thing", `"spec":{}`)})
					return err
				}},
				{"update", func() error {
					_, err := c.Update(t.Context(), abi.WriteRequest{Object: itemJSON(w.namespace, text, `"spec":{}`)})
					return err
				}},
				{"patch", func() error {
					_, err := c.Patch(t.Context(), abi.PatchRequest{ObjectKey: itemKey(w.namespace, text), PatchType: abi.PatchMerge, Patch: json.RawMessage(`{}`)})
					return err
				}},
				{"delete", func() error { return c.Delete(t.Context(), abi.DeleteRequest{ObjectKey: itemKey(w.namespace, text)}) }},
				{"event in namespace", func() error {
					return c.Event(t.Context(), abi.EventRequest{ObjectKey: itemKey(text, "thing"), Type: "Normal", Reason: "Tested"})
				}},
			} {
				reason, message := statusOf(op.do())
				if reason != metav1.StatusReasonBadRequest || !strings.Contains(message, fmt.Sprintf("%q", text)) {
					t.Errorf("%s: got %s %q, want BadRequest that names it", op.name, reason, message)
				}
			}
			w.requests.None(t)
		})
	}
	for _, text := range []string{"a?b=c", "a#b", "a b", "ä", `a\b`, "a;b", "A"} {
		t.Run("just odd "+text, func(t *testing.T) {
			w.requests.Reset()
			_, err := c.Get(t.Context(), itemKey(w.namespace, text))
			wantDenial(t, err, metav1.StatusReasonNotFound)
			if n := len(w.requests.Lines()); n != 1 || strings.Count(w.requests.Lines()[0], "/") != 7 {
				t.Errorf("want one request for one object, got %q", w.requests.Lines())
			}
		})
	}
}

// TestRestrictedClient_kinds requests kinds that are not installed, and invalid ones.
func TestRestrictedClient_kinds(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	c := w.client(t)
	cases := []struct{ name, apiVersion, kind, part string }{
		{"group", "nothing.example.com/v1", "Item", `kind "Item" of "nothing.example.com/v1" is not installed`},
		{"version", "inventory.example.com/v9", "Item", "is not installed"},
		{"kind", "inventory.example.com/v1alpha1", "Thing", `kind "Thing" of "inventory.example.com/v1alpha1" is not installed`},
		{"kind of core", "v1", "Thing", "is not installed"},
		{"plural for kind", "v1", "configmaps", "is not installed"},
		{"no apiVersion", "", "Item", "apiVersion"},
		{"no version", "inventory.example.com/", "Item", "apiVersion"},
		{"no kind", "v1", "", "kind is empty"},
		{"too many parts", "a/b/c", "Item", "apiVersion"},
		{"path in group", "../v1", "Item", "apiVersion"},
		{"path in version", "apps/..", "Deployment", "apiVersion"},
		{"query in version", "apps/v1?x=y", "Deployment", "apiVersion"},
		{"path in kind", "v1", "../Secret", "kind"},
		{"capitals in group", "Apps/v1", "Deployment", "apiVersion"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := c.Get(t.Context(), abi.ObjectKey{APIVersion: tc.apiVersion, Kind: tc.kind, Namespace: w.namespace, Name: "x"})
			wantDenial(t, err, metav1.StatusReasonBadRequest, tc.part)
			_, err = c.Create(t.Context(), abi.WriteRequest{Object: fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"metadata":{"namespace":%q}}`, tc.apiVersion, tc.kind, w.namespace)})
			wantDenial(t, err, metav1.StatusReasonBadRequest)
		})
	}
}

// TestRestrictedClient_badRequests makes requests that are rejected before any layer is asked.
func TestRestrictedClient_badRequests(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	c := w.client(t, allowAll)
	key := itemKey(w.namespace, "thing")
	patch := func(change func(*abi.PatchRequest)) func() error {
		req := abi.PatchRequest{ObjectKey: key, PatchType: abi.PatchMerge, Patch: json.RawMessage(`{}`)}
		change(&req)
		return func() error { _, err := c.Patch(t.Context(), req); return err }
	}
	list := func(change func(*abi.ListRequest)) func() error {
		req := abi.ListRequest{APIVersion: key.APIVersion, Kind: key.Kind, Namespace: w.namespace}
		change(&req)
		return func() error { _, err := c.List(t.Context(), req); return err }
	}
	write := func(object string) func() error {
		return func() error {
			_, err := c.Update(t.Context(), abi.WriteRequest{Object: json.RawMessage(object)})
			return err
		}
	}
	cases := []struct {
		name string
		do   func() error
		part string
	}{
		{"get without a name", func() error { _, err := c.Get(t.Context(), itemKey(w.namespace, "")); return err }, "name is empty"},
		{"get without a namespace", func() error { _, err := c.Get(t.Context(), itemKey("", "thing")); return err }, `kind "Item" is namespaced: give a namespace`},
		{"get of a cluster-scoped kind in a namespace", func() error {
			_, err := c.Get(t.Context(), abi.ObjectKey{APIVersion: "v1", Kind: "Namespace", Namespace: w.namespace, Name: "x"})
			return err
		}, "is cluster-scoped: leave the namespace out"},
		{"list by a bad label selector", list(func(r *abi.ListRequest) { r.LabelSelector = "a in" }), "labelSelector: "},
		{"list by a bad field selector", list(func(r *abi.ListRequest) { r.FieldSelector = "a" }), "fieldSelector: "},
		{"list of less than nothing", list(func(r *abi.ListRequest) { r.Limit = -1 }), "limit is negative"},
		{"update of nothing", write(""), "object: "},
		{"update of half an object", write(`{"apiVersion":`), "object: "},
		{"update of a list", write(`[]`), "object: "},
		{"update of null", write(`null`), "object has no apiVersion or no kind"},
		{"update without a kind", write(`{"apiVersion":"v1"}`), "object has no apiVersion or no kind"},
		{"update without a name", write(fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":%q}}`, w.namespace)), "name is empty"},
		{"update without metadata", write(`{"apiVersion":"v1","kind":"ConfigMap"}`), "name is empty"},
		{"patch without a name", patch(func(r *abi.PatchRequest) { r.Name = "" }), "name is empty"},
		{"patch of nothing", patch(func(r *abi.PatchRequest) { r.Patch = nil }), "patch is empty"},
		{"patch of no type", patch(func(r *abi.PatchRequest) { r.PatchType = "" }), `patchType "": want merge, json, strategic or apply`},
		{"patch of another type", patch(func(r *abi.PatchRequest) { r.PatchType = "application/json" }), "patchType"},
		{"force without apply", patch(func(r *abi.PatchRequest) { r.Force = true }), `force goes with patchType "apply" only`},
		{"delete without a name", func() error { return c.Delete(t.Context(), abi.DeleteRequest{ObjectKey: itemKey(w.namespace, "")}) }, "name is empty"},
		{"delete with an unknown policy", func() error {
			return c.Delete(t.Context(), abi.DeleteRequest{ObjectKey: key, PropagationPolicy: "background"})
		}, `propagationPolicy "background": want Background, Foreground or Orphan`},
	}
	w.requests.Reset()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			wantDenial(t, tc.do(), metav1.StatusReasonBadRequest, tc.part)
		})
	}
	w.requests.None(t)
}

// TestRestrictedClient_patch_types makes the same change with every patch type.
func TestRestrictedClient_patch_types(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "patch,create", "", "configmaps")
	w.Grant(t, w.namespace, "patch,create", items.Group, "items")
	w.thing(t, w.namespace)
	for _, tc := range []struct {
		patchType abi.PatchType
		patch     string
	}{
		{abi.PatchMerge, `{"data":{"a":"new"}}`},
		{abi.PatchJSON, `[{"op":"replace","path":"/data/a","value":"new"}]`},
		{abi.PatchStrategic, `{"data":{"a":"new"}}`},
		{abi.PatchApply, `{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"new"}}`},
	} {
		t.Run(string(tc.patchType), func(t *testing.T) {
			name := "cm-" + string(tc.patchType)
			cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, Data: map[string]string{"a": "old", "b": "kept"}}
			w.Create(t, cm)
			_, err := w.client(t).Patch(t.Context(), abi.PatchRequest{
				ObjectKey: abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: w.namespace, Name: name},
				PatchType: tc.patchType, Patch: json.RawMessage(tc.patch), Force: tc.patchType == abi.PatchApply,
			})
			if err != nil {
				t.Fatal(err)
			}
			w.Get(t, client.ObjectKeyFromObject(cm), cm)
			if cm.Data["a"] != "new" || cm.Data["b"] != "kept" {
				t.Errorf("got %v", cm.Data)
			}
		})
	}
	t.Run("strategic, custom resource", func(t *testing.T) {
		_, err := w.client(t).Patch(t.Context(), abi.PatchRequest{ObjectKey: itemKey(w.namespace, "thing"), PatchType: abi.PatchStrategic, Patch: json.RawMessage(`{}`)})
		wantDenial(t, err, metav1.StatusReasonUnsupportedMediaType)
	})
	t.Run("invalid", func(t *testing.T) {
		_, err := w.client(t).Patch(t.Context(), abi.PatchRequest{ObjectKey: itemKey(w.namespace, "thing"), PatchType: abi.PatchMerge, Patch: json.RawMessage(`{"spec":{"quantity":-1}}`)})
		wantDenial(t, err, metav1.StatusReasonInvalid, "spec.quantity")
	})
	t.Run("not there", func(t *testing.T) {
		_, err := w.client(t).Patch(t.Context(), abi.PatchRequest{ObjectKey: itemKey(w.namespace, "nothing"), PatchType: abi.PatchMerge, Patch: json.RawMessage(`{}`)})
		wantDenial(t, err, metav1.StatusReasonNotFound, `"nothing" not found`)
	})
}
