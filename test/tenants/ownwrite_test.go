// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/table"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

const (
	// denied is the message with which the trickster denies every admission request.
	denied = "nobody may"
	// labelGuarded is the label of the objects that the webhook of the policy plugin matches.
	labelGuarded = "tricks.k1s.io/guarded"
	// keeper is the ServiceAccount of both plugins, and policy is the plugin that denies everything.
	keeper, policy, neighbor = "keeper", "policy", "neighbor-of-policy"
)

// listensAt makes an operator listen at one address, and configures another one, which may be the same, for the API
// server.
func listensAt(listens, responses, namespace string) func(*app.Options) {
	return func(o *app.Options) {
		o.WebhookAddress, o.WebhookURL = listens, "https://"+strings.Replace(responses, "127.0.0.1", "localhost", 1)
		o.LeaderElection = true
		if namespace != "" {
			o.Namespace = namespace
		}
	}
}

// A plugin that denies everything can make writes that it would deny, whichever replica receives the admission request.
// Nobody else can, neither with the same ServiceAccount nor by impersonating it.
func TestTenants_ownWrites(t *testing.T) {
	t.Run("the replica that writes is asked", func(t *testing.T) {
		listens := testenv.FreeAddress(t)
		o := startOperator(t, listensAt(listens, listens, ""))
		testOwnWrites(t, o, func() {})
	})
	t.Run("another replica is asked", func(t *testing.T) {
		listens, responses := testenv.FreeAddress(t), testenv.FreeAddress(t)
		var namespace string
		o := startOperator(t, listensAt(listens, responses, ""), func(o *app.Options) { namespace = o.Namespace })
		testOwnWrites(t, o, func() { startOperator(t, listensAt(responses, responses, namespace)) })
	})
}

func testOwnWrites(t *testing.T, o *operator, loaded func()) {
	t.Helper()
	n := newTenant(t, o.env)
	n.CreateAccount(t, keeper, rbacv1.PolicyRule{
		APIGroups: []string{inventoryv1alpha1.GroupVersion.Group}, Resources: []string{"items", "categories"},
		Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "validate"},
	})
	n.plugin(t, policy, "Category", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.ServiceAccountName = keeper
		s.Capabilities = append(s.Capabilities, pluginsv1alpha1.CapabilityValidation)
		s.ForTypes = append(s.ForTypes, pluginsv1alpha1.ForType{
			TypeReference: pluginsv1alpha1.TypeReference{APIVersion: inventoryv1alpha1.GroupVersion.String(), Kind: "Item"},
			LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelPlugin: "none"}},
		})
		s.Admission.ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{labelGuarded: "yes"}}
		s.Runtime.MaxInstances = 1 // which waits for its own write
	})
	n.plugin(t, neighbor, "Category", func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = keeper })
	n.ExpectReady(t, policy, neighbor)
	loaded()
	n.expectDenied(t, n.guarded("probe"))

	key := fill[table.JSON](`"namespace":"{own}","name":"made"`, map[string]string{"own": n.NS})
	made := func(version table.JSON) table.JSON {
		return `{"object":{` + itemOf + `,"metadata":{` + key + version + `,"labels":{"` + labelGuarded + `":"yes"}},"spec":{"name":"made"}}}`
	}
	patches := call{Function: "patch", Request: `{` + itemOf + `,` + key + `,"patchType":"merge","patch":{"spec":{"description":"%s"}}}`}
	removal := call{Function: "delete", Request: `{` + itemOf + `,` + key + `}`}

	t.Run("the plugin itself", func(t *testing.T) {
		n.expectAnswer(t, o, policy, "crea", call{Function: "create", Request: made("")}, "O")
		n.expectAnswer(t, o, policy, "patc", patches, "O")
		n.expectAnswer(t, o, policy, "appl", call{Function: "apply", Request: `{"force":true,` + made("")[1:]}, "O")
		var item inventoryv1alpha1.Item
		n.Get(t, client.ObjectKey{Namespace: n.NS, Name: "made"}, &item)
		version := table.JSON(fmt.Sprintf(`,"resourceVersion":%q`, item.ResourceVersion))
		n.expectAnswer(t, o, policy, "upda", call{Function: "update", Request: made(version)}, "O")
	})
	t.Run("another plugin with the same account", func(t *testing.T) {
		mine := table.JSON(strings.ReplaceAll(string(made("")), `"made"`, `"mine"`))
		n.expectAnswer(t, o, neighbor, "ncre", call{Function: "create", Request: mine}, "E", denied)
		n.expectAnswer(t, o, neighbor, "npat", patches, "E", denied)
		n.expectAnswer(t, o, neighbor, "ndel", removal, "E", denied)
	})
	t.Run("people who act as the account", func(t *testing.T) {
		user := "system:serviceaccount:" + n.NS + ":" + keeper
		impersonates := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, Verbs: []string{"impersonate"}}
		marks := rbacv1.PolicyRule{APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"userextras/" + ownwrite.ExtraKey}, Verbs: []string{"impersonate"}}
		madeUp := map[string][]string{ownwrite.ExtraKey: {"v1.99999999999.bWFkZSB1cA"}}
		for name, tc := range map[string]struct {
			config *rest.Config
			extra  map[string][]string
			want   string
		}{
			"with the right to":                    {n.Limited(t, impersonates).Config, nil, denied},
			"with a mark, without the right to it": {n.Limited(t, impersonates).Config, madeUp, "userextras"},
			"with a mark that is made up":          {n.Limited(t, impersonates, marks).Config, madeUp, denied},
			"an administrator":                     {rest.CopyConfig(n.Config), madeUp, denied},
		} {
			tc.config.Impersonate = rest.ImpersonationConfig{UserName: user, Extra: tc.extra}
			c, err := client.New(tc.config, client.Options{Scheme: n.Scheme, Mapper: n.Client.RESTMapper()})
			if err != nil {
				t.Fatal(err)
			}
			for what, err := range map[string]error{
				"create":              c.Create(t.Context(), n.guarded("theirs")),
				"delete":              c.Delete(t.Context(), n.guarded("made")),
				"delete a collection": c.DeleteAllOf(t.Context(), &inventoryv1alpha1.Item{}, client.InNamespace(n.NS), client.MatchingLabels{labelGuarded: "yes"}),
			} {
				if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%s: %s: got %v, want %q", name, what, err, tc.want)
				}
			}
		}
	})
	t.Run("the plugin deletes what it made", func(t *testing.T) {
		n.expectAnswer(t, o, policy, "dele", removal, "O")
		if err := n.Client.Get(t.Context(), client.ObjectKey{Namespace: n.NS, Name: "made"}, &inventoryv1alpha1.Item{}); !apierrors.IsNotFound(err) {
			t.Errorf("got %v, want NotFound", err)
		}
	})
}

// guarded is an Item that the webhook of the policy plugin matches.
func (n tenant) guarded(name string) *inventoryv1alpha1.Item {
	m := n.Meta(name)
	m.Labels = map[string]string{labelGuarded: "yes"}
	return &inventoryv1alpha1.Item{ObjectMeta: m, Spec: inventoryv1alpha1.ItemSpec{Name: name}}
}

// expectDenied waits until a plugin denies the creation of an object.
func (n tenant) expectDenied(t *testing.T, o client.Object) {
	t.Helper()
	testenv.Eventually(t, "the plugin is asked", func(ctx context.Context) error {
		err := n.Client.Create(ctx, o.DeepCopyObject().(client.Object), client.DryRunAll)
		if err == nil || !strings.Contains(err.Error(), denied) {
			return fmt.Errorf("got %w, want %q", err, denied)
		}
		return nil
	})
}

// expectAnswer makes a plugin send a request, and waits for the reply: O or E, and parts of it.
func (n tenant) expectAnswer(t *testing.T, o *operator, plugin, id string, c call, kind string, parts ...string) {
	t.Helper()
	m := n.Meta("carrier-" + id)
	m.Labels = map[string]string{labelPlugin: n.NS + "." + plugin}
	m.Annotations = map[string]string{"tricks.k1s.io/trick": c.encode(id)}
	n.Create(t, &inventoryv1alpha1.Category{ObjectMeta: m, Spec: inventoryv1alpha1.CategorySpec{Name: id}})
	testenv.Eventually(t, "an answer to "+id, func(context.Context) error {
		for _, line := range o.everything(n.NS + "/" + plugin) {
			answer, ok := strings.CutPrefix(line, id)
			if !ok {
				continue
			}
			for _, part := range append(parts, kind) {
				if !strings.Contains(answer, part) {
					t.Fatalf("%s: the answer is %s, want %s with %q", id, answer, kind, parts)
				}
			}
			return nil
		}
		return fmt.Errorf("there is none in %q", o.everything(n.NS+"/"+plugin))
	})
}

// A plugin that denies all requests for ConfigMaps does not deny changes of its own module.
func TestTenants_repair(t *testing.T) {
	listens := testenv.FreeAddress(t)
	o := startOperator(t, listensAt(listens, listens, ""))
	n := newTenant(t, o.env)
	n.CreateAccount(t, keeper, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"validate"}})
	validates := func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.ServiceAccountName, s.Capabilities = keeper, []pluginsv1alpha1.Capability{pluginsv1alpha1.CapabilityValidation}
		s.ForTypes[0].LabelSelector = nil
	}
	n.plugin(t, policy, "ConfigMap", validates)
	n.ExpectReady(t, policy)
	other := &corev1.ConfigMap{ObjectMeta: n.Meta("other")}
	n.expectDenied(t, other)

	module := &corev1.ConfigMap{ObjectMeta: n.Meta("module-" + policy)}
	if err := n.Client.Delete(t.Context(), module); err != nil {
		t.Errorf("delete the module: %v", err)
	}
	n.Store(t, "module-"+policy, testfile.Read(t, "testdata", "trickster.wasm"))         // as a new ConfigMap
	n.Store(t, "module-"+policy, testfile.Read(t, "testdata", "trickster.wasm"))         // as an update
	testenv.Eventually(t, "the WasmPlugin is changed", func(ctx context.Context) error { // retried, because its status may change meanwhile
		var wp pluginsv1alpha1.WasmPlugin
		if err := n.Client.Get(ctx, client.ObjectKey{Namespace: n.NS, Name: policy}, &wp); err != nil {
			return err
		}
		wp.Annotations = map[string]string{"example.com/repaired": "yes"}
		return n.Client.Update(ctx, &wp)
	})
	n.expectDenied(t, other)
	// The module of another plugin is like any other ConfigMap.
	n.expectDenied(t, &corev1.ConfigMap{ObjectMeta: n.Meta("module-" + neighbor)})
}
