// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
)

// restarts runs a test twice: with an operator that runs all the time, and with one that is stopped while the cluster
// changes.
func restarts(t *testing.T, test func(t *testing.T, while func(o *operator, change func()))) {
	t.Helper()
	t.Run("running", func(t *testing.T) {
		test(t, func(_ *operator, change func()) { change() })
	})
	t.Run("restarted", func(t *testing.T) {
		test(t, func(o *operator, change func()) {
			o.end(t)
			change()
			o.start(t)
		})
	})
}

// The kind that the module of toolGate validates and defaults. Its group and version have the same length as those in
// gate.wasm, which toolGate modifies.
const (
	toolGroup = "tools.kinds.k1s.example.com"
	toolCRD   = "tools." + toolGroup
)

// toolGate returns gate.wasm for Tools instead of Items.
func toolGate(t *testing.T) []byte {
	t.Helper()
	module := localFixture(t, "gate.wasm")
	for from, to := range map[string]string{`inventory.example.com/v1alpha1`: toolGroup + "/v1", `"kind":"Item"`: `"kind":"Tool"`} {
		if len(from) != len(to) {
			t.Fatalf("%q is not as long as %q", to, from)
		}
		module = bytes.ReplaceAll(module, []byte(from), []byte(to))
	}
	return module
}

// install creates a CustomResourceDefinition, which is deleted at the end of the test.
func (n tenant) install(t *testing.T, crd *apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	n.Create(t, crd)
	t.Cleanup(func() { n.uninstall(t, crd.Name) })
	testenv.Eventually(t, crd.Name+" is served", func(ctx context.Context) error {
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion(crd.Spec.Group + "/" + crd.Spec.Versions[0].Name)
		list.SetKind(crd.Spec.Names.ListKind)
		return n.fresh(t).List(ctx, list)
	})
}

// fresh returns a client with an empty RESTMapper cache.
func (n tenant) fresh(t *testing.T) client.Client {
	t.Helper()
	c, err := client.New(n.Config, client.Options{Scheme: n.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// uninstall deletes a CustomResourceDefinition and waits until it is gone.
func (n tenant) uninstall(t *testing.T, name string) {
	t.Helper()
	ctx := context.Background()
	crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}}
	err := testenv.Poll(ctx, testenv.Timeout, func(ctx context.Context) error {
		if err := n.Client.Delete(ctx, crd); !apierrors.IsNotFound(err) {
			return fmt.Errorf("CustomResourceDefinition %s is still there: %w", name, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// serve makes a CustomResourceDefinition serve only the given versions.
func (n tenant) serve(t *testing.T, name string, versions ...string) {
	t.Helper()
	testenv.Eventually(t, "change "+name, func(ctx context.Context) error {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := n.Client.Get(ctx, client.ObjectKey{Name: name}, crd); err != nil {
			return err
		}
		for i := range crd.Spec.Versions {
			crd.Spec.Versions[i].Served = slices.Contains(versions, crd.Spec.Versions[i].Name)
		}
		return n.Client.Update(ctx, crd)
	})
}

// toolRules are the permissions on Tools that the plugin gate needs.
func toolRules(resource string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{toolGroup}, Resources: []string{resource}, Verbs: []string{"validate", "mutate"}}
}

// tool creates a Tool as a dry run, and returns its category and the warnings.
func (n tenant) tool(ctx context.Context, t *testing.T, version, name, namespace string) (string, []string, error) {
	t.Helper()
	received := &warnings{}
	config := rest.CopyConfig(n.Config)
	config.WarningHandler = received
	c, err := client.New(config, client.Options{Scheme: n.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	tool := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"name": name}}}
	tool.SetAPIVersion(toolGroup + "/" + version)
	tool.SetKind("Tool")
	tool.SetNamespace(namespace)
	tool.SetName("tried")
	err = c.Create(ctx, tool, client.DryRunAll)
	category, _, _ := unstructured.NestedString(tool.Object, "spec", "category")
	return category, received.all(), err
}

type warnings struct {
	mu    sync.Mutex
	texts []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

func (w *warnings) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.texts)
}

// expectToolGate waits until creations in a version are validated and defaulted.
func (n tenant) expectToolGate(t *testing.T, version, namespace string) {
	t.Helper()
	testenv.Eventually(t, "Tools in "+version+" are validated and defaulted", func(ctx context.Context) error {
		category, _, err := n.tool(ctx, t, version, "good", namespace)
		if err != nil || category != "gated" {
			return fmt.Errorf("the category is %q, and the error %w", category, err)
		}
		if _, _, err = n.tool(ctx, t, version, "REJECT", namespace); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "the gate is shut for REJECT") {
			return fmt.Errorf("one that the gate denies: %w", err)
		}
		return nil
	})
}

// expectToolDenied waits until the operator denies creations with a message that contains why.
func (n tenant) expectToolDenied(t *testing.T, version, why string) {
	t.Helper()
	testenv.Eventually(t, "Tools in "+version+" are denied: "+why, func(ctx context.Context) error {
		_, _, err := n.tool(ctx, t, version, "good", n.NS)
		if err == nil || !containsAll(err.Error(), []string{"denied the request", why, "kubectl describe wasmplugin gate -n " + n.NS}) {
			return fmt.Errorf("got %w", err)
		}
		if status := apierrors.APIStatus(nil); !errors.As(err, &status) || status.Status().Code != 503 {
			return fmt.Errorf("got %w, want the code 503", err)
		}
		if strings.Contains(err.Error(), "is served in") {
			t.Errorf("the message of the condition is not for everybody: %v", err)
		}
		return nil
	})
}

// expectToolIgnored waits until creations are allowed, with a warning that contains why.
func (n tenant) expectToolIgnored(t *testing.T, version, why string) {
	t.Helper()
	testenv.Eventually(t, "Tools in "+version+" are let through: "+why, func(ctx context.Context) error {
		category, message, err := n.tool(ctx, t, version, "REJECT", n.NS)
		if err != nil || category != "" || !slices.ContainsFunc(message, func(text string) bool { return strings.Contains(text, why) }) {
			return fmt.Errorf("the category is %q, the warnings %q, the error %w", category, message, err)
		}
		return nil
	})
}

// TestKinds_versionNotServed_admission checks that a plugin whose version is no longer served reports which versions
// are. Meanwhile its failure policy decides about requests in every version. It serves again when its version is served
// again.
func TestKinds_versionNotServed_admission(t *testing.T) {
	restarts(t, func(t *testing.T, while func(*operator, func())) {
		o := startOperator(t, servesWebhooks(testenv.FreeAddress(t)))
		n := newTenant(t, o.env, toolRules("tools"))
		n.install(t, testenv.Definition(toolGroup, "tools", "Tool", "v1", "v2"))
		n.Store(t, "gate", toolGate(t))
		n.Plugin(t, "gate")
		n.ExpectReady(t, "gate")
		n.expectToolGate(t, "v1", n.NS)
		n.expectToolGate(t, "v2", n.NS)

		while(o, func() { n.serve(t, toolCRD, "v2") })
		for _, condition := range []string{pluginsv1alpha1.ConditionReady, pluginsv1alpha1.ConditionAuthorized} {
			n.ExpectCondition(t, "gate", condition, metav1.ConditionFalse, "KindVersionNotServed", `kind "Tool" is served in v2, not in v1`)
		}
		n.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionServing, metav1.ConditionFalse, pluginsv1alpha1.ReasonNoRevision)
		n.expectToolDenied(t, "v2", "cannot serve (KindVersionNotServed)")
		n.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Admission.FailurePolicy = pluginsv1alpha1.FailurePolicyIgnore
		})
		n.expectToolIgnored(t, "v2", "cannot serve (KindVersionNotServed)")

		while(o, func() { n.serve(t, toolCRD, "v1", "v2") })
		n.ExpectReady(t, "gate")
		n.expectToolGate(t, "v1", n.NS)
		n.expectToolGate(t, "v2", n.NS)
	})
}

// TestKinds_recreated_admission checks that a plugin reports a deleted kind, and that its webhooks match a kind that is
// recreated with another resource name or scope.
func TestKinds_recreated_admission(t *testing.T) {
	restarts(t, func(t *testing.T, while func(*operator, func())) {
		o := startOperator(t, servesWebhooks(testenv.FreeAddress(t)))
		n := newTenant(t, o.env, toolRules("tools"), toolRules("implements"))
		first := testenv.Definition(toolGroup, "tools", "Tool", "v1")
		n.install(t, first)
		n.Store(t, "gate", toolGate(t))
		n.Plugin(t, "gate")
		n.ExpectReady(t, "gate")
		n.expectToolGate(t, "v1", n.NS)

		while(o, func() { n.uninstall(t, first.Name) })
		n.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonKindNotFound, `kind "Tool"`, "is not installed")

		t.Log("the same again")
		while(o, func() { n.install(t, testenv.Definition(toolGroup, "tools", "Tool", "v1")) })
		n.ExpectReady(t, "gate")
		n.expectToolGate(t, "v1", n.NS)

		t.Log("another resource name, with nobody looking in between")
		while(o, func() {
			n.uninstall(t, first.Name)
			n.install(t, testenv.Definition(toolGroup, "implements", "Tool", "v1"))
		})
		n.expectToolGate(t, "v1", n.NS)
		n.ExpectReady(t, "gate")

		t.Log("another scope")
		while(o, func() {
			n.uninstall(t, "implements."+toolGroup)
			global := testenv.Definition(toolGroup, "tools", "Tool", "v1")
			global.Spec.Scope = apiextensionsv1.ClusterScoped
			n.install(t, global)
		})
		n.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonNamespacesRequired, `kind "Tool" is cluster-scoped`)
		n.GrantCluster(t, testenv.AccountSubject(n.NS, "plugin"), toolRules("tools"))
		n.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedNamespaces = []string{"*"} })
		n.ExpectReady(t, "gate")
		n.expectToolGate(t, "v1", "")
	})
}

// TestKinds_unavailable_admission checks that requests to a plugin which does not load are handled by its failure
// policy with a message that says why, and not with an error of a webhook that does not respond.
func TestKinds_unavailable_admission(t *testing.T) {
	o := startOperator(t, servesWebhooks(testenv.FreeAddress(t)))
	n := newTenant(t, o.env, toolRules("tools"))
	n.install(t, testenv.Definition(toolGroup, "tools", "Tool", "v1"))
	n.Store(t, "gate", toolGate(t))
	n.Plugin(t, "gate")
	n.ExpectReady(t, "gate")
	n.expectToolGate(t, "v1", n.NS)
	o.end(t)
	n.StoreRaw(t, "gate", []byte("no module"))
	o.start(t)
	n.expectToolDenied(t, "v1", "cannot serve (NotWasm)")
	n.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Admission.FailurePolicy = pluginsv1alpha1.FailurePolicyIgnore
	})
	n.expectToolIgnored(t, "v1", "cannot serve (NotWasm)")
	n.Store(t, "gate", toolGate(t))
	n.ExpectReady(t, "gate")
	n.expectToolGate(t, "v1", n.NS)
}

// TestKinds_versionNotServed_replicas checks that every replica answers for a plugin that cannot serve, whether or not
// the replica has loaded it before.
func TestKinds_versionNotServed_replicas(t *testing.T) {
	elects := func(o *app.Options) { o.LeaderElection = true }
	addresses := []string{testenv.FreeAddress(t), testenv.FreeAddress(t), testenv.FreeAddress(t)}
	leader := startOperator(t, servesWebhooks(addresses[0]), elects)
	n := newTenant(t, leader.env, toolRules("tools"))
	n.install(t, testenv.Definition(toolGroup, "tools", "Tool", "v1", "v2"))
	n.Store(t, "gate", toolGate(t))
	n.Plugin(t, "gate")
	n.ExpectReady(t, "gate")
	replica := func(address string) {
		r := &operator{
			env: leader.env, config: leader.config, dir: leader.dir, cache: t.TempDir(), ns: leader.ns, log: leader.log,
			configure: []func(*app.Options){servesWebhooks(address), elects},
		}
		r.start(t)
		t.Cleanup(func() { r.end(t) })
	}
	creation := func(version string) *admissionv1.AdmissionRequest {
		resource := metav1.GroupVersionResource{Group: toolGroup, Version: version, Resource: "tools"}
		return &admissionv1.AdmissionRequest{
			UID: "1", Kind: metav1.GroupVersionKind{Group: toolGroup, Version: version, Kind: "Tool"}, Resource: resource,
			Namespace: n.NS, Name: "tried", Operation: admissionv1.Create,
			Object: runtime.RawExtension{Raw: fmt.Appendf(nil, `{"apiVersion":"%s/%s","kind":"Tool","metadata":{"name":"tried"},"spec":{"name":"REJECT"}}`, toolGroup, version)},
		}
	}
	expect := func(address, version, why string) {
		t.Helper()
		testenv.Eventually(t, "a replica answers: "+why, func(ctx context.Context) error {
			return reviewed(ctx, leader, address, creation(version), why)
		})
	}
	replica(addresses[1])
	expect(addresses[1], "v1", "the gate is shut for REJECT")
	n.serve(t, toolCRD, "v2")
	replica(addresses[2])
	for _, address := range addresses {
		expect(address, "v2", "cannot serve (KindVersionNotServed)")
	}
	n.serve(t, toolCRD, "v1", "v2")
	for _, address := range addresses {
		expect(address, "v1", "the gate is shut for REJECT")
	}
}

// TestKinds_versionNotServed_previousRevision checks that a change of the plugin while it cannot serve does not make
// the previous revision serve too early: with a module that cannot be loaded, the previous revision serves again only
// once its kind is served.
func TestKinds_versionNotServed_previousRevision(t *testing.T) {
	o := startOperator(t, servesWebhooks(testenv.FreeAddress(t)))
	n := newTenant(t, o.env, toolRules("tools"))
	n.install(t, testenv.Definition(toolGroup, "tools", "Tool", "v1", "v2"))
	n.Store(t, "gate", toolGate(t))
	n.Plugin(t, "gate")
	n.ExpectReady(t, "gate")
	n.StoreRaw(t, "gate", []byte("no module"))
	n.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	n.expectToolGate(t, "v1", n.NS)
	n.serve(t, toolCRD, "v2")
	n.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionServing, metav1.ConditionFalse, pluginsv1alpha1.ReasonNoRevision, `kind "Tool" is served in v2, not in v1`)
	n.expectToolDenied(t, "v2", "cannot serve (NotWasm)")
	n.serve(t, toolCRD, "v1", "v2")
	n.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	n.expectToolGate(t, "v1", n.NS)
}
