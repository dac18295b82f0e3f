// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

var (
	items      = schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Item"}
	categories = schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Category"}
)

func forType(gvk schema.GroupVersionKind) pluginsv1alpha1.ForType {
	return pluginsv1alpha1.ForType{TypeReference: pluginsv1alpha1.TypeReference{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind}}
}

// bad is a selector that no schema rejects.
func bad() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Maybe"}}}
}

const digest = plugin.Digest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")

// known returns what the operator knows of the module with that digest.
func known() plugin.Metadata {
	return plugin.Metadata{
		Name: "validator", Version: "1", Capabilities: []plugin.Capability{plugin.CapabilityReconcile, plugin.CapabilityValidation},
		ForTypes: []schema.GroupVersionKind{items}, ConfigSchema: []byte(`{"properties":{"level":{"enum":["strict","lax"]}},"required":["level"]}`),
	}
}

// Specs whose errors CEL cannot detect are denied at once, with the controller's messages. Valid specs are allowed.
func TestWebhook_spec(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.known.Remember(digest, known())
	pinned := func(more func(*pluginsv1alpha1.WasmPluginSpec)) func(*pluginsv1alpha1.WasmPluginSpec) {
		return func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.SHA256, s.Settings = string(digest), &runtime.RawExtension{Raw: []byte(`{"level":"strict"}`)}
			more(s)
		}
	}
	from := []pluginsv1alpha1.SettingSource{{As: "token", SecretRef: pluginsv1alpha1.SecretKeyReference{Name: "s", Key: "k"}}}
	for name, tc := range map[string]struct {
		mutate func(*pluginsv1alpha1.WasmPluginSpec)
		want   string // none if it is allowed
	}{
		"nothing-wrong": {func(*pluginsv1alpha1.WasmPluginSpec) {}, ""},
		"type-selector": {func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.ForTypes = []pluginsv1alpha1.ForType{forType(items)}
			s.ForTypes[0].LabelSelector = bad()
		}, `spec.forTypes[0].labelSelector: "Maybe" is not a valid label selector operator`},
		"object-selector": {func(s *pluginsv1alpha1.WasmPluginSpec) { s.Admission.ObjectSelector = bad() }, "spec.admission.objectSelector: "},
		"settings-twice": {func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Settings, s.SettingsFrom = &runtime.RawExtension{Raw: []byte(`{"token":"x"}`)}, from
		}, `spec.settingsFrom[0] is "token", which spec.settings has too: remove one of them`},
		"unknown-module": {func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.SHA256, s.Capabilities = strings.Repeat("b", 64), []plugin.Capability{plugin.CapabilityAdmission}
		}, ""},
		"known-module": {pinned(func(*pluginsv1alpha1.WasmPluginSpec) {}), ""},
		"capability": {pinned(func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Capabilities = []plugin.Capability{plugin.CapabilityAdmission}
		}),
			`spec.capabilities asks for "admission", but the module declares only ["reconcile" "validation"]: remove it, or use a module that has it`},
		"type": {pinned(func(s *pluginsv1alpha1.WasmPluginSpec) { s.ForTypes = []pluginsv1alpha1.ForType{forType(categories)} }),
			"spec.forTypes asks for Category.inventory.example.com, but the module declares only Item.inventory.example.com: remove it, or use a module that has it"},
		"settings": {pinned(func(s *pluginsv1alpha1.WasmPluginSpec) { s.Settings.Raw = []byte(`{"level":"none"}`) }),
			"spec.settings does not meet the module's schema: settings.level: value must be one of 'strict', 'lax'"},
		"no-settings":   {pinned(func(s *pluginsv1alpha1.WasmPluginSpec) { s.Settings = nil }), "settings: missing property 'level'"},
		"secret-unseen": {pinned(func(s *pluginsv1alpha1.WasmPluginSpec) { s.Settings, s.SettingsFrom = nil, from }), ""},
	} {
		err := w.Client.Create(t.Context(), w.plugin(name, tc.mutate))
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: got %v", name, err)
		case tc.want != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

// Updates are checked too, unless they do not change the spec, or only suspend or resume the plugin.
func TestWebhook_updates(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.known.Remember(digest, known())
	wp := w.plugin("validator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.SHA256, s.Capabilities = strings.Repeat("b", 64), []plugin.Capability{plugin.CapabilityAdmission}
	})
	wp.Finalizers = []string{"test.k1s.io/stay"}
	w.Create(t, wp)
	next := wp.DeepCopy()
	next.Spec.SHA256 = string(digest)
	if err := w.Client.Update(t.Context(), next); !apierrors.IsForbidden(err) {
		t.Fatalf("a module that does not have the capability: got %v", err)
	}
	// From here on, the webhook would deny the existing spec, because the module has become known.
	w.known.Remember(plugin.Digest(wp.Spec.SHA256), known())
	for name, change := range map[string]func(*pluginsv1alpha1.WasmPlugin){
		"an annotation": func(wp *pluginsv1alpha1.WasmPlugin) { wp.Annotations = map[string]string{"a": "b"} },
		"suspend":       func(wp *pluginsv1alpha1.WasmPlugin) { wp.Spec.Suspend = true },
		"resume":        func(wp *pluginsv1alpha1.WasmPlugin) { wp.Spec.Suspend = false },
	} {
		current := &pluginsv1alpha1.WasmPlugin{}
		w.Get(t, client.ObjectKeyFromObject(wp), current)
		change(current)
		if err := w.Client.Update(t.Context(), current); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.Get(t, client.ObjectKeyFromObject(wp), wp)
	wp.Spec.Runtime.TimeoutSeconds = 7
	if err := w.Client.Update(t.Context(), wp.DeepCopy()); !apierrors.IsForbidden(err) {
		t.Errorf("another change: got %v", err)
	}
	if err := w.Client.Delete(t.Context(), wp); err != nil {
		t.Errorf("delete: %v", err)
	}
	w.Get(t, client.ObjectKeyFromObject(wp), wp)
	wp.Finalizers = nil
	if err := w.Client.Update(t.Context(), wp); err != nil {
		t.Errorf("the last finalizer: %v", err)
	}
	testenv.Eventually(t, "it is gone", func(ctx context.Context) error {
		return client.IgnoreNotFound(w.Client.Get(ctx, client.ObjectKeyFromObject(wp), wp))
	})
}

// A user needs a permission for the ServiceAccount that the code runs as, by a role of their own or of a group.
func TestWebhook_serviceAccountUse(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t, func(o *Options) { o.CheckServiceAccountUse = true })
	account := func(verb string, names ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, ResourceNames: names, Verbs: []string{verb}}
	}
	as := func(name string) func(*pluginsv1alpha1.WasmPluginSpec) {
		return func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = name }
	}
	nobody, uses, impersonates := w.user(t), w.user(t, account("use", "robot")), w.user(t, account("impersonate", "robot"))
	for name, tc := range map[string]struct {
		client  client.Client
		account string
		want    string
	}{
		"nobody":               {nobody, "robot", `is allowed neither to use nor to impersonate ServiceAccount "robot" in namespace "` + w.namespace + `", which the plugin acts as; grant it: echo '{"apiVersion"`},
		"nobody-default":       {nobody, "", `ServiceAccount "default"`},
		"uses":                 {uses, "robot", ""},
		"uses-another":         {uses, "other", `ServiceAccount "other"`},
		"impersonates":         {impersonates, "robot", ""},
		"impersonates-another": {impersonates, "other", `ServiceAccount "other"`},
		"administrator":        {w.Client, "robot", ""}, // system:masters
	} {
		err := tc.client.Create(t.Context(), w.plugin(name, as(tc.account)))
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: got %v", name, err)
		case tc.want != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}

	// A user who is allowed to change WasmPlugins changes one that another user has created.
	for name, tc := range map[string]struct {
		mutate func(*pluginsv1alpha1.WasmPluginSpec)
		passes bool
	}{
		"account":  {as("other"), false},
		"source":   {func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source.ConfigMap.Name = "mine" }, false},
		"sha256":   {func(s *pluginsv1alpha1.WasmPluginSpec) { s.SHA256 = string(digest) }, false},
		"settings": {func(s *pluginsv1alpha1.WasmPluginSpec) { s.Settings = &runtime.RawExtension{Raw: []byte(`{"a":1}`)} }, false},
		"security": {func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedHosts = []string{"a.example"} }, false},
		"suspend":  {func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = true }, true},
	} {
		wp := &pluginsv1alpha1.WasmPlugin{}
		w.Get(t, client.ObjectKey{Namespace: w.namespace, Name: "administrator"}, wp)
		tc.mutate(&wp.Spec)
		if err := nobody.Update(t.Context(), wp, client.DryRunAll); (err == nil) != tc.passes || err != nil && !apierrors.IsForbidden(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := nobody.Delete(t.Context(), w.plugin("administrator")); err != nil {
		t.Errorf("delete: %v", err)
	}
}

// The operator creates the WasmPlugins of its plugin directory. Its own permissions for ServiceAccounts do not matter.
func TestWebhook_serviceAccountUse_operator(t *testing.T) {
	t.Parallel()
	var operator client.Client
	w := newTestCluster(t, func(o *Options) {
		o.CheckServiceAccountUse = true
		o.Operator = operatorOf(func(ctx context.Context) (string, error) {
			review := &authenticationv1.SelfSubjectReview{}
			err := operator.Create(ctx, review)
			return review.Status.UserInfo.Username, err
		})
		operator = testenv.Shared(t).Limited(t, rbacv1.PolicyRule{APIGroups: []string{"plugins.k1s.io"}, Resources: []string{"wasmplugins"}, Verbs: []string{"create"}}).Client
	})
	if err := operator.Create(t.Context(), w.plugin("of-the-directory")); err != nil {
		t.Error(err)
	}
}

type operatorOf func(context.Context) (string, error)

func (f operatorOf) Username(ctx context.Context) (string, error) { return f(ctx) }

func TestGrant(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ user, account, want string }{
		{"jane@example.com", "robot", " --user=jane@example.com"},
		{"system:serviceaccount:ci:deployer", "robot", " --serviceaccount=ci:deployer"},
		{"jane'; rm -rf ~", "robot", `; grant it: a Role with the verb "use" on serviceaccounts, bound to that user`},
		{"jane", "robot' ", `; grant it: a Role with the verb "use" on serviceaccounts, bound to that user`},
	} {
		got := grant(tc.user, tc.account, "shop")
		if !strings.HasSuffix(got, tc.want) {
			t.Errorf("%s: got %s", tc.user, got)
		}
		if strings.Contains(got, "kubectl") && !strings.Contains(got, `"resourceNames":["robot"],"verbs":["use"]}]}' | kubectl create -f -; kubectl -n shop create rolebinding k1s-use-`) {
			t.Errorf("%s: got %s", tc.user, got)
		}
	}
}
