// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/table"
)

// A plugin that denies every admission request blocks its own namespace, and no other. During an admission request, it
// cannot change anything. Without the permission in a namespace, it receives no admission requests of that namespace,
// whatever its spec contains.
func TestTenants_admission(t *testing.T) {
	listens := testenv.FreeAddress(t)
	o := startOperator(t, func(o *app.Options) {
		o.WebhookAddress, o.WebhookURL = listens, "https://"+strings.Replace(listens, "127.0.0.1", "localhost", 1)
	})
	a, b := newTenants(t, o.env)
	// It is allowed to read the Items of both namespaces, and to change and validate those of its own.
	a.CreateAccount(t, "keeper", rbacv1.PolicyRule{
		APIGroups: []string{inventoryv1alpha1.GroupVersion.Group}, Resources: []string{"items"},
		Verbs: []string{"get", "list", "watch", "create", "delete", "validate"},
	})
	b.GrantRole(t, "keeper", testenv.AccountSubject(a.NS, "keeper"),
		rbacv1.PolicyRule{APIGroups: []string{inventoryv1alpha1.GroupVersion.Group}, Resources: []string{"items"}, Verbs: []string{"list", "watch"}})
	keeper := func(namespaces ...string) func(*pluginsv1alpha1.WasmPluginSpec) {
		return func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.ServiceAccountName, s.Capabilities = "keeper", []pluginsv1alpha1.Capability{pluginsv1alpha1.CapabilityValidation}
			s.Security.AllowedNamespaces = namespaces
			s.ForTypes[0].LabelSelector = nil
		}
	}
	a.plugin(t, "keeper", "Item", keeper(a.NS))
	a.ExpectReady(t, "keeper")
	a.plugin(t, "both", "Item", keeper(a.NS, b.NS))
	a.ExpectCondition(t, "both", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden,
		"validate items.inventory.example.com", fmt.Sprintf("in namespace %q", b.NS))
	a.plugin(t, "all", "Item", keeper("*"))
	a.ExpectCondition(t, "all", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden, "in all namespaces")

	values := map[string]string{"own": a.NS, "other": b.NS}
	tricks := []*attempt{}
	for i, x := range table.Read[trick](t, "admission.yaml") {
		tricks = append(tricks, &attempt{trick: x, by: a, target: b, values: values, id: fmt.Sprintf("%04d", i)})
	}
	for _, x := range tricks {
		carried := &inventoryv1alpha1.Item{ObjectMeta: a.Meta("carrier-" + x.id), Spec: inventoryv1alpha1.ItemSpec{Name: "carrier"}}
		c := call{x.Function, fill(x.Request, values), x.Times}
		carried.Annotations = map[string]string{"tricks.k1s.io/trick": c.encode(x.id)}
		testenv.Eventually(t, "the plugin denies an Item of its own namespace", func(ctx context.Context) error {
			err := o.env.Client.Create(ctx, carried.DeepCopy(), client.DryRunAll) // the API server observes the webhook with a delay
			if err == nil || !strings.Contains(err.Error(), "nobody may") {
				return fmt.Errorf("got %w", errors.Join(err, errors.New("want a denial")))
			}
			return nil
		})
		testenv.Eventually(t, "an answer to "+x.Name, func(context.Context) error { return x.answer(o) })
	}
	message := len(o.everything(a.NS + "/keeper"))
	for i := range 5 {
		theirs := &inventoryv1alpha1.Item{ObjectMeta: b.Meta(fmt.Sprint("theirs-", i)), Spec: inventoryv1alpha1.ItemSpec{Name: "theirs"}}
		c := call{Function: "get", Request: `{}`}
		theirs.Annotations = map[string]string{"tricks.k1s.io/trick": c.encode("9999")}
		o.env.Create(t, theirs)
	}
	if lines := o.everything(a.NS + "/keeper"); len(lines) != message || slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "9999") }) {
		t.Errorf("the plugin was asked about the other's Items: %q", lines[message:])
	}
	if err := o.env.Client.Get(t.Context(), client.ObjectKey{Namespace: a.NS, Name: privateName}, &inventoryv1alpha1.Item{}); err != nil {
		t.Errorf("what the plugin wanted to delete: %v", err)
	}
	o.end(t)
	records := o.records(t)
	for _, x := range tricks {
		t.Run(x.Name, func(t *testing.T) { x.evaluate(t, records) })
	}
}
