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

// operation is a call of one host function for the Item "thing".
type operation struct {
	name string
	// verb and resource are those of the request to RBAC and the allowlist.
	verb, resource string
	do             func(ctx context.Context, c *RestrictedClient, namespace string) ([]byte, error)
}

func (o operation) group() string {
	if o.resource == "events" {
		return "events.k8s.io"
	}
	return items.Group
}

// qualified returns the resource in the form of messages and allowlists.
func (o operation) qualified() string { return qualify(o.resource, o.group()) }

func qualify(resource, group string) string {
	for i := range resource {
		if resource[i] == '/' {
			return resource[:i] + "." + group + resource[i:]
		}
	}
	return resource + "." + group
}

// operations returns every host function that accesses the cluster.
func operations() []operation {
	return []operation{
		{"get", "get", "items", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return c.Get(ctx, itemKey(ns, "thing"))
		}},
		{"list", "list", "items", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return c.List(ctx, abi.ListRequest{APIVersion: items.GroupVersion().String(), Kind: items.Kind, Namespace: ns})
		}},
		{"create", "create", "items", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return c.Create(ctx, abi.WriteRequest{Object: itemJSON(ns, "another", `"spec":{"name":"another"}`)})
		}},
		{"update", "update", "items", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return c.Update(ctx, abi.WriteRequest{Object: itemJSON(ns, "thing", `"spec":{"name":"updated"}`, version(ctx, c, ns)...)})
		}},
		{"update_status", "patch", "items/status", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return c.UpdateStatus(ctx, abi.WriteRequest{Object: itemJSON(ns, "thing", `"spec":{"name":"thing"},"status":{"availability":"Reserved"}`, version(ctx, c, ns)...)})
		}},
		{"patch", "patch", "items", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return c.Patch(ctx, abi.PatchRequest{ObjectKey: itemKey(ns, "thing"), PatchType: abi.PatchMerge, Patch: json.RawMessage(`{"spec":{"name":"patched"}}`)})
		}},
		{"patch_status", "patch", "items/status", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return c.PatchStatus(ctx, abi.PatchRequest{ObjectKey: itemKey(ns, "thing"), PatchType: abi.PatchApply, Patch: itemJSON(ns, "thing", `"status":{"availability":"OutOfStock"}`)})
		}},
		{"apply", "patch", "items", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return c.Apply(ctx, abi.ApplyRequest{Object: itemJSON(ns, "thing", `"spec":{"name":"applied"}`), Force: true})
		}},
		{"delete", "delete", "items", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return nil, c.Delete(ctx, abi.DeleteRequest{ObjectKey: itemKey(ns, "thing")})
		}},
		{"event", "create", "events", func(ctx context.Context, c *RestrictedClient, ns string) ([]byte, error) {
			return nil, c.Event(ctx, abi.EventRequest{ObjectKey: itemKey(ns, "thing"), Type: "Normal", Reason: "Tested", Message: "it was tested"})
		}},
	}
}

func itemKey(namespace, name string) abi.ObjectKey {
	return abi.ObjectKey{APIVersion: items.GroupVersion().String(), Kind: items.Kind, Namespace: namespace, Name: name}
}

// itemJSON returns the JSON of an Item. metadata is added to its metadata.
func itemJSON(namespace, name, members string, metadata ...string) json.RawMessage {
	head := fmt.Sprintf(`"namespace":%q,"name":%q`, namespace, name)
	for _, m := range metadata {
		head += "," + m
	}
	return json.RawMessage(fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{%s},%s}`, items.GroupVersion(), items.Kind, head, members))
}

type adminKey struct{}

// asAdmin makes operations look up the resourceVersion that an update needs as the administrator, not with the client
// under test.
func asAdmin(t *testing.T, w *testCluster) context.Context {
	return context.WithValue(t.Context(), adminKey{}, w)
}

func version(ctx context.Context, _ *RestrictedClient, namespace string) []string {
	w, ok := ctx.Value(adminKey{}).(*testCluster)
	if !ok {
		return nil
	}
	var item inventoryv1alpha1.Item
	if err := w.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "thing"}, &item); err != nil {
		return nil
	}
	return []string{fmt.Sprintf(`"resourceVersion":%q,"uid":%q`, item.ResourceVersion, item.UID)}
}

// thing creates the Item that operations use.
func (w *testCluster) thing(t *testing.T, namespace string) *inventoryv1alpha1.Item {
	t.Helper()
	item := &inventoryv1alpha1.Item{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "thing"},
		Spec:       inventoryv1alpha1.ItemSpec{Name: "thing"},
	}
	w.Create(t, item)
	return item
}
