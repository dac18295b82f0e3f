// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

const certificate = `-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIBATAKBggqhkjOPQQDAjANMQswCQYDVQQDEwJjYTAeFw0y
-----END CERTIFICATE-----
`

func newConfigurations(env *testenv.Env, change ...func(*ConfigurationsOptions)) *Configurations {
	o := ConfigurationsOptions{
		Client: env.Client, Exempt: NewExempt(operatorNamespace), CA: bundle(certificate),
		Service: &admissionregistrationv1.ServiceReference{Namespace: operatorNamespace, Name: "k1s-webhooks"},
	}
	for _, c := range change {
		c(&o)
	}
	return NewConfigurations(o)
}

// both returns a plugin's webhook configurations; either may be nil.
func both(t *testing.T, env *testenv.Env, name types.NamespacedName) (v *admissionregistrationv1.ValidatingWebhookConfiguration, m *admissionregistrationv1.MutatingWebhookConfiguration) {
	t.Helper()
	v, m = &admissionregistrationv1.ValidatingWebhookConfiguration{}, &admissionregistrationv1.MutatingWebhookConfiguration{}
	key := client.ObjectKey{Name: "k1s." + name.Namespace + "." + name.Name}
	if err := env.Client.Get(t.Context(), key, v); apierrors.IsNotFound(err) {
		v = nil
	} else if err != nil {
		t.Fatal(err)
	}
	if err := env.Client.Get(t.Context(), key, m); apierrors.IsNotFound(err) {
		m = nil
	} else if err != nil {
		t.Fatal(err)
	}
	return v, m
}

func TestConfigurations_Ensure(t *testing.T) {
	// No webhook server runs, so the webhooks must not match namespaces that other tests use.
	env := testenv.Shared(t)
	w := &testCluster{home: env.Namespace(t), shop: "nobodys-shop"}
	c := newConfigurations(env)
	p := w.plugin(nil, func(p *Plugin) { p.ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}} })
	t.Cleanup(func() { _ = c.Remove(context.Background(), p.Name) })
	if err := c.Ensure(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	v, m := both(t, env, p.Name)
	labels := map[string]string{LabelManagedBy: "k1s", LabelPluginNamespace: w.home, LabelPlugin: "script"}
	want := admissionregistrationv1.MutatingWebhook{
		Name: "mutate.script." + w.home + ".plugins.k1s.io",
		ClientConfig: admissionregistrationv1.WebhookClientConfig{CABundle: []byte(certificate), Service: &admissionregistrationv1.ServiceReference{
			Namespace: operatorNamespace, Name: "k1s-webhooks", Path: new("/plugins/mutate/" + w.home + "/script"), Port: new(int32(443)),
		}},
		Rules: []admissionregistrationv1.RuleWithOperations{{
			Operations: []admissionregistrationv1.OperationType{"CREATE", "UPDATE"},
			Rule: admissionregistrationv1.Rule{
				APIGroups: []string{"inventory.example.com"}, APIVersions: []string{"v1alpha1"}, Resources: []string{"items"},
				Scope: new(admissionregistrationv1.NamespacedScope),
			},
		}},
		FailurePolicy: new(admissionregistrationv1.Fail), MatchPolicy: new(admissionregistrationv1.Equivalent),
		NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "kubernetes.io/metadata.name", Operator: "NotIn", Values: []string{operatorNamespace, "kube-system"}},
			{Key: "kubernetes.io/metadata.name", Operator: "In", Values: []string{"nobodys-shop"}},
		}},
		ObjectSelector: p.ObjectSelector, SideEffects: new(admissionregistrationv1.SideEffectClassNone), TimeoutSeconds: new(int32(10)),
		AdmissionReviewVersions: []string{"v1"}, ReinvocationPolicy: new(admissionregistrationv1.IfNeededReinvocationPolicy),
		MatchConditions: isLive(),
	}
	if diff := cmp.Diff([]admissionregistrationv1.MutatingWebhook{want}, m.Webhooks); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(labels, m.Labels); diff != "" {
		t.Error(diff)
	}
	if len(v.Webhooks) != 1 || v.Webhooks[0].Name != "validate.script."+w.home+".plugins.k1s.io" || len(v.Webhooks[0].Rules[0].Operations) != 3 {
		t.Errorf("%+v", v.Webhooks)
	}
	if diff := cmp.Diff([]reconcile.Request{{NamespacedName: p.Name}}, Requests(t.Context(), v)); diff != "" {
		t.Error(diff)
	}

	if err := c.Ensure(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if v2, m2 := both(t, env, p.Name); v2.ResourceVersion != v.ResourceVersion || m2.ResourceVersion != m.ResourceVersion {
		t.Error("what was right was written again")
	}

	v.Webhooks[0].FailurePolicy = new(admissionregistrationv1.Ignore)
	v.Webhooks[0].NamespaceSelector = nil
	if err := errors.Join(env.Client.Update(t.Context(), v), env.Client.Delete(t.Context(), m)); err != nil {
		t.Fatal(err)
	}
	p.Operations = []string{abi.OperationDelete}
	if err := c.Ensure(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	v, m = both(t, env, p.Name)
	if m != nil {
		t.Error("there is a configuration without anything in it")
	}
	if *v.Webhooks[0].FailurePolicy != admissionregistrationv1.Fail || len(v.Webhooks[0].NamespaceSelector.MatchExpressions) != 2 {
		t.Errorf("somebody's change stands: %+v", v.Webhooks[0])
	}
	if diff := cmp.Diff([]admissionregistrationv1.OperationType{"DELETE"}, v.Webhooks[0].Rules[0].Operations); diff != "" {
		t.Error(diff)
	}

	p.Exports = nil
	if err := c.Ensure(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if v, m := both(t, env, p.Name); v != nil || m != nil {
		t.Errorf("left: %v, %v", v, m)
	}
}

func TestConfigurations_SweepAndRemove(t *testing.T) {
	env := testenv.Shared(t)
	w := &testCluster{home: env.Namespace(t), shop: "nobodys-shop"}
	owner := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: w.home}}
	env.Create(t, owner)
	c := newConfigurations(env, func(o *ConfigurationsOptions) {
		o.Owner = metav1.NewControllerRef(owner, rbacv1.SchemeGroupVersion.WithKind("ClusterRole"))
	})
	kept := w.plugin(nil)
	swept := w.plugin(nil, func(p *Plugin) { p.Name.Name = "swept" })
	foreign := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{
		Name: "foreign-" + w.home, Labels: map[string]string{LabelManagedBy: "k1s"},
	}}
	if err := errors.Join(c.Ensure(t.Context(), kept), c.Ensure(t.Context(), swept), env.Client.Create(t.Context(), foreign)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Client.Delete(context.Background(), foreign) })
	if err := c.Sweep(t.Context(), func(name types.NamespacedName) bool { return name != swept.Name }); err != nil {
		t.Fatal(err)
	}
	if v, m := both(t, env, swept.Name); v != nil || m != nil {
		t.Errorf("left: %v, %v", v, m)
	}
	v, m := both(t, env, kept.Name)
	if v == nil || m == nil || len(v.OwnerReferences) != 1 || v.OwnerReferences[0].UID != owner.UID {
		t.Errorf("kept: %v, %v", v, m)
	}
	if err := env.Client.Get(t.Context(), client.ObjectKeyFromObject(foreign), foreign); err != nil {
		t.Errorf("of somebody else: %v", err)
	}
	for range 2 { // the second time, nothing exists
		if err := c.Remove(t.Context(), kept.Name); err != nil {
			t.Fatal(err)
		}
	}
	if v, m := both(t, env, kept.Name); v != nil || m != nil {
		t.Errorf("left: %v, %v", v, m)
	}
}

func TestConfigurations_noCertificate(t *testing.T) {
	env := testenv.Shared(t)
	w := &testCluster{home: env.Namespace(t), shop: "nobodys-shop"}
	c := newConfigurations(env, func(o *ConfigurationsOptions) { o.CA = bundle(nil) })
	if err := c.Ensure(t.Context(), w.plugin(nil)); err == nil || !strings.Contains(err.Error(), "do not have a CA") {
		t.Errorf("error %v", err)
	}
}

func TestGroups(t *testing.T) {
	target := func(resource string, namespaced bool, validate plugin.Namespaces) Target {
		target := items(nil)
		target.GVR.Resource, target.Namespaced, target.Validate = resource, namespaced, validate
		return target
	}
	all, some := plugin.Namespaces{plugin.AllNamespaces}, func(namespaces ...string) plugin.Namespaces { return namespaces }
	exempted := target("exempt", true, all)
	exempted.GVR.Group = "authorization.k8s.io"
	for name, tt := range map[string]struct {
		targets []Target
		want    map[string]string // resources and scopes, by webhook
	}{
		"nothing":               {nil, map[string]string{}},
		"nowhere":               {[]Target{target("a", true, nil)}, map[string]string{}},
		"only exempt":           {[]Target{target("a", true, some("kube-system", operatorNamespace)), exempted}, map[string]string{}},
		"cluster in namespaces": {[]Target{target("a", false, some("x"))}, map[string]string{}},
		"together": {
			[]Target{target("b", true, all), target("a", false, all)},
			map[string]string{"validate.script.home.plugins.k1s.io": "a/Cluster b/Namespaced NotIn=k1s-system,kube-system"},
		},
		"apart": {
			[]Target{target("a", true, some("x", "y")), target("b", true, all), target("c", true, some("kube-system", "x", "y"))},
			map[string]string{
				"validate.script.home.plugins.k1s.io":   "b/Namespaced NotIn=k1s-system,kube-system",
				"validate-2.script.home.plugins.k1s.io": "a/Namespaced c/Namespaced NotIn=k1s-system,kube-system In=x,y",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := directPlugin(nil, func(p *Plugin) { p.Targets = tt.targets })
			got := map[string]string{}
			for _, g := range groups(p, validating, NewExempt(operatorNamespace)) {
				var parts []string
				for _, r := range g.rules {
					parts = append(parts, r.Resources[0]+"/"+string(*r.Scope))
				}
				for _, e := range g.namespaces.MatchExpressions {
					parts = append(parts, string(e.Operator)+"="+strings.Join(e.Values, ","))
				}
				got[g.name] = strings.Join(parts, " ")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
