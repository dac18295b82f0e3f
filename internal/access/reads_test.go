// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

type idle struct{}

func (idle) Reconcile(context.Context, watch.Request, watch.Turn) (reconcile.Result, error) {
	return reconcile.Result{}, nil
}

// cache puts kinds of the whole cluster into the shared cache, like the watch of another plugin.
func (w *testCluster) cache(t *testing.T, kinds ...schema.GroupVersionKind) {
	t.Helper()
	spec := watch.Spec{Namespaces: []string{"*"}, Kinds: map[schema.GroupVersionKind]*meta.RESTMapping{}, MaxConcurrentReconciles: 1}
	for _, gvk := range kinds {
		kind, err := w.factory.kinds.Resolve(t.Context(), gvk)
		if err != nil {
			t.Fatal(err)
		}
		spec.Targets, spec.Kinds[gvk] = append(spec.Targets, plugin.Target{GVK: gvk}), kind
	}
	if err := w.watches.Ensure(t.Context(), types.NamespacedName{Namespace: "other", Name: "watcher"}, spec, idle{}); err != nil {
		t.Fatal(err)
	}
}

func watching(kinds ...schema.GroupVersionKind) func(*Options) {
	return func(o *Options) { o.Watches = kinds }
}

// TestRestrictedClient_get_cachedWithoutRight is a tenant that reads another tenant's objects: all of them are in the
// shared cache, but each read is reviewed at the API server.
func TestRestrictedClient_get_cachedWithoutRight(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	foreign := w.Namespace(t)
	w.thing(t, w.namespace)
	w.thing(t, foreign)
	w.cache(t, items)
	w.Grant(t, w.namespace, "get,list", items.Group, "items")
	c := w.client(t, allowAll, watching(items))

	if _, err := c.Get(t.Context(), itemKey(w.namespace, "thing")); err != nil {
		t.Errorf("own namespace: %v", err)
	}
	_, err := c.Get(t.Context(), itemKey(foreign, "thing"))
	wantDenial(t, err, metav1.StatusReasonForbidden, "rbac: cannot get items.inventory.example.com", foreign, account)
	// Whether an object exists must not be visible either.
	_, err = c.Get(t.Context(), itemKey(foreign, "nothing"))
	wantDenial(t, err, metav1.StatusReasonForbidden, "rbac: ")
	for _, namespace := range []string{foreign, ""} {
		_, err = c.List(t.Context(), abi.ListRequest{APIVersion: items.GroupVersion().String(), Kind: "Item", Namespace: namespace})
		wantDenial(t, err, metav1.StatusReasonForbidden, "rbac: cannot list items.inventory.example.com")
	}
	if n := w.requests.Count("/items"); n != 0 {
		t.Errorf("%d reads reached the API server, want all from the cache: %q", n, w.requests.Lines())
	}
}

// TestRestrictedClient_get_cachedByNameOnly has permission for one object of a watched kind.
func TestRestrictedClient_get_cachedByNameOnly(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.cache(t, items)
	w.GrantName(t, w.namespace, "get", items.Group, "items", "thing")
	c := w.client(t, watching(items))
	if _, err := c.Get(t.Context(), itemKey(w.namespace, "thing")); err != nil {
		t.Errorf("the object that the Role names: %v", err)
	}
	_, err := c.Get(t.Context(), itemKey(w.namespace, "another"))
	wantDenial(t, err, metav1.StatusReasonForbidden, "rbac: ", `"another"`)
}

// TestRestrictedClient_read_source checks where responses come from: the cache is used only for kinds that the plugin
// itself watches, and for requests that a cache can answer.
func TestRestrictedClient_read_source(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.cache(t, items)
	w.Grant(t, w.namespace, "get,list", items.Group, "items")
	w.Grant(t, w.namespace, "get,list", "", "configmaps")
	list := func(change func(*abi.ListRequest)) func(*RestrictedClient) error {
		req := abi.ListRequest{APIVersion: items.GroupVersion().String(), Kind: "Item", Namespace: w.namespace}
		change(&req)
		return func(c *RestrictedClient) error { _, err := c.List(t.Context(), req); return err }
	}
	get := func(c *RestrictedClient) error {
		_, err := c.Get(t.Context(), itemKey(w.namespace, "thing"))
		return err
	}
	cases := []struct {
		name      string
		watches   []schema.GroupVersionKind
		do        func(*RestrictedClient) error
		fromCache bool
	}{
		{"get, watched", []schema.GroupVersionKind{items}, get, true},
		{"get, watched by another plugin only", nil, get, false},
		{"list, watched", []schema.GroupVersionKind{items}, list(func(*abi.ListRequest) {}), true},
		{"list, watched, by label", []schema.GroupVersionKind{items}, list(func(r *abi.ListRequest) { r.LabelSelector = "a in (b,c)" }), true},
		{"list, watched, by field", []schema.GroupVersionKind{items}, list(func(r *abi.ListRequest) { r.FieldSelector = "metadata.name=thing" }), false},
		{"list, watched, limited", []schema.GroupVersionKind{items}, list(func(r *abi.ListRequest) { r.Limit = 1 }), false},
		{"list, not in the cache", []schema.GroupVersionKind{configMaps}, func(c *RestrictedClient) error {
			_, err := c.List(t.Context(), abi.ListRequest{APIVersion: "v1", Kind: "ConfigMap", Namespace: w.namespace})
			return err
		}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w.requests.Reset()
			if err := c.do(w.client(t, watching(c.watches...))); err != nil {
				t.Fatal(err)
			}
			reads := w.requests.Count("/items") + w.requests.Count("/configmaps")
			if got := reads == 0; got != c.fromCache {
				t.Errorf("from the cache: %t, want %t; requests %q", got, c.fromCache, w.requests.Lines())
			}
		})
	}
}

// TestRestrictedClient_list_items compares lists from the cache and from the API server with the ABI.
func TestRestrictedClient_list_items(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.cache(t, configMaps)
	w.Grant(t, w.namespace, "list", "", "configmaps")
	for i := range 3 {
		w.configMap(t, fmt.Sprintf("cm-%d", i), map[string]string{"n": fmt.Sprint(i)}, map[string][]byte{"text": []byte(`<{"kind":"Secret"}>`)})
	}
	request := abi.ListRequest{APIVersion: "v1", Kind: "ConfigMap", Namespace: w.namespace, LabelSelector: "n notin (1)"}
	for name, c := range map[string]*RestrictedClient{"cache": w.client(t, watching(configMaps)), "API server": w.client(t)} {
		t.Run(name, func(t *testing.T) {
			var list map[string]any
			w.eventually(t, "the cache has all", func() error {
				out, err := c.List(t.Context(), request)
				if err != nil {
					return err
				}
				list = decode(t, out)
				if n := len(list["items"].([]any)); n != 2 {
					return fmt.Errorf("%d items, want 2", n)
				}
				return nil
			})
			for _, item := range list["items"].([]any) {
				o := item.(map[string]any)
				if o["apiVersion"] != "v1" || o["kind"] != "ConfigMap" {
					t.Errorf("item without its kind: %v", o)
				}
				if o["binaryData"].(map[string]any)["text"] == "" {
					t.Errorf("item without its data: %v", o)
				}
			}
			if list["metadata"].(map[string]any)["resourceVersion"] == nil {
				t.Errorf("metadata without resourceVersion: %v", list["metadata"])
			}
		})
	}
	t.Run("pages", func(t *testing.T) {
		c, names := w.client(t), []string{}
		page := request
		page.LabelSelector, page.Limit = "n", 2
		for {
			out, err := c.List(t.Context(), page)
			if err != nil {
				t.Fatal(err)
			}
			list := decode(t, out)
			for _, item := range list["items"].([]any) {
				names = append(names, item.(map[string]any)["metadata"].(map[string]any)["name"].(string))
			}
			next, _ := list["metadata"].(map[string]any)["continue"].(string)
			if next == "" {
				break
			}
			page.Continue = next
		}
		if got := strings.Join(names, " "); got != "cm-0 cm-1 cm-2" {
			t.Errorf("got %q", got)
		}
	})
}

// TestRestrictedClient_list_tooLong reads a list that is larger than one payload.
func TestRestrictedClient_list_tooLong(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.cache(t, configMaps)
	w.Grant(t, w.namespace, "list", "", "configmaps")
	const objects, size = 17, 760 << 10 // in base64, one of them is just under 1 MiB
	for i := range objects {
		w.configMap(t, fmt.Sprintf("cm-%d", i), nil, map[string][]byte{"bytes": bytes.Repeat([]byte{byte(i)}, size)})
	}
	request := abi.ListRequest{APIVersion: "v1", Kind: "ConfigMap", Namespace: w.namespace}
	for name, c := range map[string]*RestrictedClient{"cache": w.client(t, watching(configMaps)), "API server": w.client(t)} {
		t.Run(name, func(t *testing.T) {
			w.eventually(t, "the list is denied", func() error {
				out, err := c.List(t.Context(), request)
				if err == nil {
					return fmt.Errorf("got %d bytes", len(out))
				}
				wantDenial(t, err, metav1.StatusReasonRequestEntityTooLarge, "16777216 bytes", "selector or a limit")
				return nil
			})
		})
	}
	t.Run("with a limit", func(t *testing.T) {
		request.Limit = 2
		if _, err := w.client(t).List(t.Context(), request); err != nil {
			t.Errorf("a part of it: %v", err)
		}
	})
}

// configMap creates a ConfigMap in the plugin's namespace.
func (w *testCluster) configMap(t *testing.T, name string, labels map[string]string, data map[string][]byte) {
	t.Helper()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name, Labels: labels}, BinaryData: data}
	w.Create(t, cm)
}
