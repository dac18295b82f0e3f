// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/conditions"
)

func TestGrantsFor(t *testing.T) {
	t.Parallel()
	both, watch := []string{"list", "watch"}, []string{"watch"}
	lack := func(namespace, resource string, verbs []string) Permission {
		return Permission{Namespace: namespace, Mapping: &meta.RESTMapping{Resource: schema.GroupVersionResource{Resource: resource}}, Verbs: verbs}
	}
	many := make([]Permission, grantResources+1)
	for i := range many {
		many[i] = lack("shop", fmt.Sprintf("r%d", i), both)
	}
	for _, tc := range []struct {
		name, why string
		lacks     []Permission
		want      []Grant
	}{
		{"nothing", "", nil, nil},
		{"one role", "resources that lack the same", []Permission{lack("shop", "items", both), lack("shop", "categories", both)}, []Grant{{"shop", both, []string{"items", "categories"}, nil}}},
		{
			"other verbs", "exactly what is missing, and no more", []Permission{lack("shop", "items", both), lack("shop", "categories", watch)},
			[]Grant{{"shop", both, []string{"items"}, nil}, {"shop", watch, []string{"categories"}, nil}},
		},
		{
			"other namespaces", "a role is in one", []Permission{lack("shop", "items", both), lack("", "nodes", both), lack("stock", "items", both)},
			[]Grant{{"shop", both, []string{"items"}, nil}, {"", both, []string{"nodes"}, nil}, {"stock", both, []string{"items"}, nil}},
		},
		{
			"many", "a command that people can read", many,
			[]Grant{{"shop", both, []string{"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"}, nil}, {"shop", both, []string{"r8"}, nil}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, GrantsFor(tc.lacks), cmp.AllowUnexported(Grant{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.why, diff)
			}
		})
	}
}

func TestGrantMessage(t *testing.T) {
	t.Parallel()
	id := rbac.Identity{Namespace: "shop", Plugin: "pricing", ServiceAccount: "robot"}
	got := GrantMessage(id, []Grant{
		{"shop", []string{"list", "watch"}, []string{"items.inventory.example.com", "configmaps"}, nil}, {"", []string{"watch"}, []string{"nodes"}, nil},
	})
	const want = `ServiceAccount "robot" cannot list and watch items.inventory.example.com, configmaps in namespace "shop"; nor watch nodes in all namespaces; grant it: ` +
		`kubectl -n shop create role k1s-pricing-ID --verb=list,watch --resource=items.inventory.example.com,configmaps; ` +
		`kubectl -n shop create rolebinding k1s-pricing-ID --role=k1s-pricing-ID --serviceaccount=shop:robot; ` +
		`kubectl create clusterrole k1s-pricing-ID --verb=watch --resource=nodes; ` +
		`kubectl create clusterrolebinding k1s-pricing-ID --clusterrole=k1s-pricing-ID --serviceaccount=shop:robot`
	if diff := cmp.Diff(want, withoutIDs(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestGrantMessage_quoted shows that pasting a command runs that command and no other, whatever the spec contains.
func TestGrantMessage_quoted(t *testing.T) {
	t.Parallel()
	id := rbac.Identity{Namespace: "shop", Plugin: "pricing", ServiceAccount: "robot; id"}
	got := GrantMessage(id, []Grant{{"shop", []string{"get"}, []string{"secrets"}, []string{"a", "$(id)"}}})
	const want = `kubectl -n shop create role k1s-pricing-ID --verb=get --resource=secrets --resource-name=a --resource-name='$(id)'; ` +
		`kubectl -n shop create rolebinding k1s-pricing-ID --role=k1s-pricing-ID --serviceaccount='shop:robot; id'`
	_, commands, _ := strings.Cut(withoutIDs(got), "grant it: ")
	if diff := cmp.Diff(want, commands); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// withoutIDs replaces the part of a role's name that depends on its rules with ID.
func withoutIDs(message string) string {
	const prefix = "k1s-pricing-"
	parts := strings.Split(message, prefix)
	for i, p := range parts[1:] {
		parts[i+1] = "ID" + p[8:]
	}
	return strings.Join(parts, prefix)
}

// TestGrantMessage_names shows that other rules result in another role, so that their commands do not conflict with an
// existing role.
func TestGrantMessage_names(t *testing.T) {
	t.Parallel()
	id := rbac.Identity{Namespace: "shop", Plugin: "pricing", ServiceAccount: "robot"}
	other := id
	other.Namespace = "stock"
	seen := map[string]bool{}
	verbs := []string{"list"}
	for _, m := range []string{
		Grant{"", verbs, []string{"a"}, nil}.commands(id), Grant{"", verbs, []string{"b"}, nil}.commands(id),
		Grant{"", []string{"watch"}, []string{"a"}, nil}.commands(id), Grant{"", verbs, []string{"a"}, nil}.commands(other),
	} {
		name := strings.Fields(m)[3]
		if seen[name] {
			t.Errorf("%s is made twice", name)
		}
		seen[name] = true
	}
}

// TestGrantMessage_long shows that no command is ever truncated, wherever the message is used.
func TestGrantMessage_long(t *testing.T) {
	t.Parallel()
	id := rbac.Identity{Namespace: strings.Repeat("n", 63), Plugin: strings.Repeat("p", 60), ServiceAccount: strings.Repeat("s", 63)}
	var grants []Grant
	for i := range 50 {
		grants = append(grants, Grant{fmt.Sprintf("namespace-%d", i), []string{"list", "watch"}, []string{strings.Repeat("r", 63) + ".example.com"}, nil})
	}
	message := GrantMessage(id, grants)
	serving := "the plugin receives no events: " + message
	if conditions.Truncate(serving) != serving {
		t.Errorf("it is cut, at %d bytes", len(message))
	}
	_, commands, _ := strings.Cut(message, "grant it: ")
	pairs := strings.Count(commands, "create rolebinding ")
	if pairs == 0 || pairs != strings.Count(commands, "create role ") || !strings.Contains(message, fmt.Sprintf("; %d more are missing", len(grants)-pairs)) {
		t.Errorf("got %s", message)
	}
}
