// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

// configMaps is a target of a plugin whose webhook matches the ConfigMaps of a namespace.
func configMaps(namespace string) Target {
	return Target{
		GVK: corev1.SchemeGroupVersion.WithKind("ConfigMap"), GVR: corev1.SchemeGroupVersion.WithResource("configmaps"), Namespaced: true,
		Validate: plugin.Namespaces{namespace},
	}
}

// A broken plugin that validates ConfigMaps can be fixed: the API server does not send the requests for the ConfigMap
// with its module, which also works while the operator is unavailable.
func TestConfigurations_module(t *testing.T) {
	w := newTestCluster(t)
	rule := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{VerbValidate}}
	w.Create(t, testenv.Role(w.home, "policy", rule), testenv.Binding(w.home, "policy", "policy", testenv.AccountSubject(w.home, account)))
	named := func(name string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.home, Name: name}}
	}
	module, other := named("module"), named("other")
	w.Create(t, module)
	w.Create(t, other)
	p := w.plugin(slot(t, load(t, w.engine, nil)), func(p *Plugin) {
		p.Targets, p.Module = []Target{configMaps(w.home)}, types.NamespacedName{Namespace: w.home, Name: "module"}
	})
	// No server handles its requests, so that every request that is sent fails.
	if err := w.configurations.Ensure(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.configurations.Remove(context.Background(), p.Name); err != nil {
			t.Error(err)
		}
	})
	testenv.Eventually(t, "the API server asks", func(ctx context.Context) error {
		if err := w.Client.Create(ctx, named("probe"), client.DryRunAll); err == nil {
			return fmt.Errorf("a ConfigMap is created")
		}
		return nil
	})
	module.Data = map[string]string{"repaired": "yes"}
	if err := w.Client.Update(t.Context(), module); err != nil {
		t.Errorf("update the module: %v", err)
	}
	generated := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.home, GenerateName: "module"}}
	for what, err := range map[string]error{
		"update":          w.Client.Update(t.Context(), other, client.DryRunAll),
		"delete":          w.Client.Delete(t.Context(), other),
		"create":          w.Client.Create(t.Context(), named("another")),
		"a generated one": w.Client.Create(t.Context(), generated),
		"a collection":    w.Client.DeleteAllOf(t.Context(), &corev1.ConfigMap{}, client.InNamespace(w.home), client.MatchingFields{"metadata.name": "other"}),
	} {
		if err == nil {
			t.Errorf("another ConfigMap, %s: it goes past the plugin", what)
		}
	}
	elsewhere := named("module")
	elsewhere.Namespace = w.shop
	w.Create(t, elsewhere)
	if err := w.Client.DeleteAllOf(t.Context(), &corev1.ConfigMap{}, client.InNamespace(w.home), client.MatchingFields{"metadata.name": "module"}); err != nil {
		t.Errorf("delete the module in a collection: %v", err)
	}
	if err := w.Client.Create(t.Context(), named("module")); err != nil {
		t.Errorf("create the module: %v", err)
	}
	if err := w.Client.Delete(t.Context(), named("module")); err != nil {
		t.Errorf("delete the module: %v", err)
	}
}

// The server does not call the plugin either, whatever the webhook configuration contains.
func TestServer_module(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	runner := slot(t, load(t, newEngine(t), nil, scripted(abi.ExportValidateUpdate, anything, traps, ""), scripted(abi.ExportValidateDelete, anything, traps, "")))
	module := types.NamespacedName{Namespace: "home", Name: "module"}
	for name, tt := range map[string]struct {
		module          types.NamespacedName
		namespace, name string
		delete          bool
		asked           bool
	}{
		"the module":                    {module, "home", "module", false, false},
		"the module, in a collection":   {module, "home", "module", true, false},
		"another name":                  {module, "home", "other", false, true},
		"another namespace":             {module, "shop", "module", false, true},
		"no module in a ConfigMap":      {types.NamespacedName{}, "home", "module", false, true},
		"no module, in a collection":    {types.NamespacedName{}, "home", "module", true, true},
		"another name, in a collection": {module, "home", "other", true, true},
	} {
		d.Set(directPlugin(runner, func(p *Plugin) {
			target := configMaps("")
			target.Validate = plugin.Namespaces{plugin.AllNamespaces}
			p.Targets, p.Module = []Target{target}, tt.module
		}))
		response, _ := d.review(t, validating, func(r *admissionv1.AdmissionRequest) {
			r.Kind, r.Resource = metav1.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, metav1.GroupVersionResource{Version: "v1", Resource: "configmaps"}
			r.Namespace, r.Name, r.Operation = tt.namespace, tt.name, admissionv1.Update
			object := fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"namespace":%q},"data":{"a":"%%s"}}`, tt.name, tt.namespace)
			r.Object, r.OldObject = raw(fmt.Sprintf(object, "new")), raw(fmt.Sprintf(object, "old"))
			if tt.delete {
				r.Operation, r.Name, r.Object = admissionv1.Delete, "", raw("null")
			}
		})
		if response == nil || response.Allowed == tt.asked {
			t.Errorf("%s: %+v; asked: %t", name, response, tt.asked)
		}
	}
}

// No webhook matches WasmPlugins, whatever the permissions and the types of a plugin are. No rule has the exempt
// groups, so that requests for equivalent resources are not sent either.
func TestConfigurations_exemptGroups(t *testing.T) {
	t.Parallel()
	p := directPlugin(nil)
	for _, group := range exemptGroups {
		target := items(plugin.Namespaces{plugin.AllNamespaces})
		target.GVK.Group, target.GVR.Group = group, group
		p.Targets = append(p.Targets, target)
	}
	wasmPlugins := pluginsv1alpha1.GroupVersion.WithResource("wasmplugins")
	p.Targets = append(p.Targets, Target{
		GVK: pluginsv1alpha1.GroupVersion.WithKind("WasmPlugin"), GVR: wasmPlugins, Namespaced: true, Validate: plugin.Namespaces{plugin.AllNamespaces}, Mutate: plugin.Namespaces{plugin.AllNamespaces},
	})
	for _, hook := range []webhook{validating, mutating} {
		rules := 0
		for _, g := range groups(p, hook, NewExempt(operatorNamespace)) {
			for _, r := range g.rules {
				rules++
				if r.APIGroups[0] != "inventory.example.com" {
					t.Errorf("%s: a rule is for %v", hook, r)
				}
			}
		}
		if rules != 1 {
			t.Errorf("%s: there are %d rules, want the one for Items", hook, rules)
		}
	}
	var none []admissionregistrationv1.RuleWithOperations
	if c := p.conditions(none); len(c) != len(isLive()) {
		t.Errorf("conditions %v", c)
	}
}
