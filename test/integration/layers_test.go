// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/testenv"
)

// documented is the security block of the specification's example, verbatim.
const documented = `
# Simple security config
security:
  allowedResources:
    - "items"
    - "events"
  allowedVerbs:
    - "get" 
    - "list"
    - "create" # For events only
  allowedNamespaces:
    - "default"
    - "inventory"
  maxConcurrentRequests: 10
`

// namespaces creates namespaces, which may already exist.
func namespaces(t *testing.T, env *testenv.Env, names ...string) {
	t.Helper()
	for _, name := range names {
		err := env.Client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
}

// object creates an object that is deleted at the end of the test.
func object(t *testing.T, env *testenv.Env, o client.Object) {
	t.Helper()
	env.Create(t, o)
	t.Cleanup(func() { _ = env.Client.Delete(context.Background(), o) })
}

// TestWasmPlugin_directory_documentedLayers checks the layers of the specification's example with one request of a
// guest at a time. The ServiceAccount has all permissions, so that only the plugin's file can deny a request.
func TestWasmPlugin_directory_documentedLayers(t *testing.T) {
	o := startOperator(t)
	n := newTenantIn(t, o.env, o.ns)
	namespaces(t, o.env, "inventory")
	o.env.GrantCluster(t, testenv.AccountSubject(o.ns, "plugin"),
		rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
	for _, ns := range []string{"default", "inventory"} {
		object(t, o.env, &inventoryv1alpha1.Item{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "hammer"}, Spec: inventoryv1alpha1.ItemSpec{Name: "hammer"}})
	}
	object(t, o.env, &inventoryv1alpha1.Category{ObjectMeta: metav1.ObjectMeta{Namespace: "inventory", Name: "tools"}, Spec: inventoryv1alpha1.CategorySpec{Name: "tools"}})

	const (
		get = iota
		list
		create
		update
		patch
		remove
		event
	)
	item := func(ns string) string {
		return fmt.Sprintf(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item","namespace":%q,"name":"hammer"`, ns)
	}
	items := func(ns string) string {
		return fmt.Sprintf(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item","namespace":%q}`, ns)
	}
	whole := func(ns, name string) string {
		return fmt.Sprintf(`{"object":{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item","metadata":{"namespace":%q,"name":%q},"spec":{"name":"x"}}}`, ns, name)
	}
	events := func(ns string) string {
		return item(ns) + `,"type":"Normal","reason":"Tested","message":"it was tested"}`
	}
	cases := map[string]struct {
		op      int
		request string
		want    string
	}{
		"get-default":          {get, item("default") + "}", "done"},
		"get-inventory":        {get, item("inventory") + "}", "done"},
		"get-elsewhere":        {get, item(o.ns) + "}", fmt.Sprintf("allowlist: cannot get items.inventory.example.com %q", "hammer")},
		"get-category":         {get, `{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","namespace":"inventory","name":"tools"}`, `security.allowedResources does not have "categories.inventory.example.com"`},
		"get-secret":           {get, `{"apiVersion":"v1","kind":"Secret","namespace":"default","name":"x"}`, `security.allowedResources does not have "secrets"`},
		"list-inventory":       {list, items("inventory"), "done"},
		"list-everywhere":      {list, items(""), `security.allowedNamespaces does not have "*"`},
		"list-elsewhere":       {list, items(o.ns), fmt.Sprintf("security.allowedNamespaces does not have %q", o.ns)},
		"create-item":          {create, whole("inventory", "nail"), "done"}, // the comment in the example says "For events only", but its lists allow this
		"create-elsewhere":     {create, whole(o.ns, "nail"), fmt.Sprintf("security.allowedNamespaces does not have %q", o.ns)},
		"update-item":          {update, whole("inventory", "hammer"), `security.allowedVerbs does not have "update"`},
		"patch-item":           {patch, item("inventory") + `,"patchType":"merge","patch":{}}`, `security.allowedVerbs does not have "patch"`},
		"delete-item":          {remove, item("inventory") + "}", `security.allowedVerbs does not have "delete"`},
		"event-inventory":      {event, events("inventory"), "done"},
		"event-elsewhere":      {event, events(o.ns), fmt.Sprintf("security.allowedNamespaces does not have %q", o.ns)},
		"event-cluster-scoped": {event, `{"apiVersion":"v1","kind":"Namespace","name":"inventory","type":"Normal","reason":"Tested","message":"x"}`, "done"}, // such Events are in the namespace "default"
	}
	var plugins strings.Builder
	plugins.WriteString("plugins:\n")
	for name, tc := range cases {
		o.write(t, name+".wasm", localFixture(t, "doer.wasm"))
		o.write(t, name+"-plugin.yaml", fmt.Appendf(nil, "name: %q\ntype: \"wasm\"\npath: \"./%s.wasm\"\nversion: \"v1.0.0\"\n%s", name, name, documented))
		fmt.Fprintf(&plugins, "  - {name: %s, path: %s.wasm, config: {service_account_name: plugin, settings: {op: %d, request: %s}}}\n", name, name, tc.op, tc.request)
	}
	o.write(t, "wasm-plugins.yaml", []byte(plugins.String()))
	want := pluginsv1alpha1.Security{
		AllowedResources:      []string{"items", "events"},
		AllowedVerbs:          []pluginsv1alpha1.Verb{"get", "list", "create"},
		AllowedNamespaces:     []string{"default", "inventory"},
		MaxConcurrentRequests: 10,
	}
	for name, tc := range cases {
		n.ExpectReady(t, name)
		n.expectEvent(t, name, "ReconcileFailed", tc.want)
		wp, err := n.GetPlugin(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, wp.Spec.Security); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	nail := &inventoryv1alpha1.Item{ObjectMeta: metav1.ObjectMeta{Namespace: "inventory", Name: "nail"}}
	if err := o.env.Client.Delete(t.Context(), nail); err != nil {
		t.Errorf("what the guest has created: %v", err)
	}
}

// TestWasmPlugin_directory_withoutRBAC checks that plugins of the plugin directory, with RBAC disabled for them, act as
// the operator within the limits of their files. Other plugins do not, whatever labels they have.
func TestWasmPlugin_directory_withoutRBAC(t *testing.T) {
	log := filepath.Join(t.TempDir(), "audit.log")
	registry := prometheus.NewRegistry()
	o := startOperator(t, func(options *app.Options) {
		options.DirectoryPluginsWithoutRBAC, options.AuditLog, options.Registerer = true, log, registry
	})
	n := tenant{testenv.Tenant{Env: o.env, NS: o.ns}}
	o.env.GrantCluster(t, testenv.UserSubject(operatorUser), annotatorRules()...)
	n.category(t, "tools")
	security := "security:\n  allowedResources: [categories, events]\n  allowedVerbs: [%s]\n"
	for name, verbs := range map[string]string{"bounded": "get, list, watch", "free": "get, list, watch, patch, create"} {
		o.write(t, name+".wasm", conformanceFixture(t, "annotator.wasm"))
		o.write(t, name+"-plugin.yaml", fmt.Appendf(nil, "name: %s\npath: %s.wasm\nserviceAccountName: nobody\n"+security, name, name, verbs))
	}
	n.ExpectReady(t, "bounded")
	n.expectEvent(t, "bounded", "ReconcileFailed", "Forbidden: allowlist: cannot ")
	n.ExpectReady(t, "free")
	n.ExpectCondition(t, "free", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionTrue, pluginsv1alpha1.ReasonRBACDisabled,
		"--directory-plugins-without-rbac", `acts as the operator itself, "`+operatorUser+`"`)
	n.expectAnnotated(t, "tools")

	t.Log("made by somebody else")
	n.Plugin(t, "by-hand", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Source = pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "free.wasm"}}
		s.ServiceAccountName = "nobody"
	})
	n.ExpectCondition(t, "by-hand", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonServiceAccountNotFound)
	forged := &pluginsv1alpha1.WasmPlugin{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.ns, Name: "forged", Labels: map[string]string{pluginsv1alpha1.LabelDirectory: "true"}},
		Spec: pluginsv1alpha1.WasmPluginSpec{
			Source:             pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "free.wasm"}},
			ServiceAccountName: "nobody",
		},
	}
	n.Create(t, forged)
	testenv.Eventually(t, "the forged one is deleted", func(ctx context.Context) error {
		_, err := n.GetPlugin(ctx, "forged")
		if err == nil {
			return errors.New("it is still there")
		}
		return client.IgnoreNotFound(err)
	})

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	count := -1.0
	for _, f := range families {
		if f.GetName() == "k1s_plugins_without_rbac" {
			count = f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	if count != 2 {
		t.Errorf("k1s_plugins_without_rbac is %v, want 2", count)
	}
	o.end(t)
	allowed, denied := 0, 0
	for _, r := range readAudit(t, log) {
		if r.Account != operatorUser {
			t.Errorf("a record has the account %q: %+v", r.Account, r)
		}
		switch {
		case r.Plugin == o.ns+"/free" && r.Decision == audit.DecisionAllowed:
			allowed++
		case r.Plugin == o.ns+"/bounded" && r.Layer == "allowlist":
			denied++
		case r.Plugin != o.ns+"/free" && r.Plugin != o.ns+"/bounded":
			t.Errorf("a record of another plugin: %+v", r)
		}
	}
	if allowed == 0 || denied == 0 {
		t.Errorf("%d allowed and %d denied records", allowed, denied)
	}
}
