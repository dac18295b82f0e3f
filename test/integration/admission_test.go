// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
)

// servesWebhooks makes an operator serve webhooks at an address that the API server of the tests reaches.
func servesWebhooks(address string) func(*app.Options) {
	return func(o *app.Options) {
		_, port, _ := net.SplitHostPort(address) // an address of FreeAddress always has a port
		o.WebhookAddress, o.WebhookURL = address, "https://localhost:"+port
	}
}

// gateRules are the permissions on Items that the plugin gate needs.
func gateRules() []rbacv1.PolicyRule { return []rbacv1.PolicyRule{rule("items", "validate", "mutate")} }

// try creates an Item as a dry run, and returns its category.
func (n tenant) try(ctx context.Context, name string) (string, error) {
	item := &inventoryv1alpha1.Item{ObjectMeta: n.Meta("tried"), Spec: inventoryv1alpha1.ItemSpec{Name: name}}
	err := n.Client.Create(ctx, item, client.DryRunAll)
	return item.Spec.Category, err
}

// expectGate waits until the webhooks of the plugin gate validate and mutate requests in the namespace.
func (n tenant) expectGate(t *testing.T) {
	t.Helper()
	testenv.Eventually(t, "the gate is asked", func(ctx context.Context) error {
		category, err := n.try(ctx, "good")
		if err == nil && category != "gated" {
			err = fmt.Errorf("the category is %q", category)
		}
		return err
	})
	const want = "the gate is shut for REJECT"
	if _, err := n.try(t.Context(), "REJECT"); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("an Item that the gate denies: got %v, want Invalid with %q", err, want)
	}
}

// expectOpen waits until the webhooks of the plugin gate no longer receive requests in the namespace.
func (n tenant) expectOpen(t *testing.T, why string) {
	t.Helper()
	testenv.Eventually(t, why, func(ctx context.Context) error {
		category, err := n.try(ctx, "REJECT")
		if err == nil && category != "" {
			err = fmt.Errorf("the category is %q", category)
		}
		return err
	})
}

// configurations returns the names of the webhook configurations that the operator created for a namespace.
func (n tenant) configurations(ctx context.Context) ([]string, error) {
	ours := client.MatchingLabels{"plugins.k1s.io/plugin-namespace": n.NS}
	var validators admissionregistrationv1.ValidatingWebhookConfigurationList
	var mutators admissionregistrationv1.MutatingWebhookConfigurationList
	if err := errors.Join(n.Client.List(ctx, &validators, ours), n.Client.List(ctx, &mutators, ours)); err != nil {
		return nil, err
	}
	var names []string
	for _, c := range validators.Items {
		names = append(names, c.Name)
	}
	for _, c := range mutators.Items {
		names = append(names, c.Name)
	}
	return names, nil
}

func (n tenant) expectConfigurations(t *testing.T, count int) {
	t.Helper()
	testenv.Eventually(t, fmt.Sprintf("there are %d webhook configurations", count), func(ctx context.Context) error {
		names, err := n.configurations(ctx)
		if err == nil && len(names) != count {
			err = fmt.Errorf("there are %q", names)
		}
		return err
	})
}

// TestOperator_admission_lifecycle checks a plugin that validates and defaults, from its first request until it is
// deleted: changes of the plugin, of its permissions and of the operator take effect on admission requests immediately.
func TestOperator_admission_lifecycle(t *testing.T) {
	address := testenv.FreeAddress(t)
	o := startOperator(t, servesWebhooks(address))
	shop := newTenant(t, o.env, gateRules()...)
	shop.Store(t, "gate", localFixture(t, "gate.wasm"))
	shop.Plugin(t, "gate")
	shop.ExpectReady(t, "gate")
	shop.expectGate(t)
	elsewhere := tenant{testenv.Tenant{Env: o.env, NS: o.env.Namespace(t)}}
	elsewhere.expectOpen(t, "another namespace is none of its business")

	t.Run("without the export validate_delete, deletions are not sent to it", func(t *testing.T) {
		var list admissionregistrationv1.ValidatingWebhookConfigurationList
		shop.List(t, &list, client.MatchingLabels{"plugins.k1s.io/plugin-namespace": shop.NS})
		want := []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update}
		for _, c := range list.Items {
			for _, w := range c.Webhooks {
				for _, r := range w.Rules {
					if !slices.Equal(r.Operations, want) {
						t.Errorf("the webhook %s is for %v, want %v", w.Name, r.Operations, want)
					}
				}
			}
		}
		item := &inventoryv1alpha1.Item{ObjectMeta: shop.Meta("deleted"), Spec: inventoryv1alpha1.ItemSpec{Name: "good"}}
		shop.Create(t, item)
		if err := shop.Client.Delete(t.Context(), item); err != nil {
			t.Errorf("a deletion: got %v, want success", err)
		}
	})

	t.Run("a configuration that somebody deletes comes back", func(t *testing.T) {
		names, err := shop.configurations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			shop.Client.Delete(t.Context(), &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name}}) //nolint:errcheck // see below
		}
		shop.expectConfigurations(t, 2)
		shop.expectGate(t)
	})

	t.Run("without its rights it has no say, and with them it has again", func(t *testing.T) {
		binding := &rbacv1.RoleBinding{ObjectMeta: shop.Meta("plugin")}
		shop.Get(t, client.ObjectKeyFromObject(binding), binding)
		shop.Delete(t, binding)
		shop.expectOpen(t, "the binding is gone")
		shop.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden,
			"--verb=mutate,validate --resource=items.inventory.example.com")
		shop.expectConfigurations(t, 0)
		binding.ResourceVersion, binding.UID = "", ""
		shop.Create(t, binding)
		shop.ExpectReady(t, "gate")
		shop.expectGate(t)
	})

	t.Run("suspended, nothing waits for it", func(t *testing.T) {
		shop.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = true })
		shop.expectConfigurations(t, 0)
		shop.expectOpen(t, "the plugin is suspended")
		shop.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = false })
		shop.ExpectReady(t, "gate")
		shop.expectGate(t)
	})

	t.Run("a failing module with Ignore lets requests through", func(t *testing.T) {
		shop.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Admission.FailurePolicy = pluginsv1alpha1.FailurePolicyIgnore
			s.Runtime.Fuel = 1000 // not enough to read an Item
		})
		shop.expectOpen(t, "it runs out of fuel")
		shop.expectEvent(t, "gate", "AdmissionFailed", "fuel")
		shop.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Admission, s.Runtime = pluginsv1alpha1.Admission{}, pluginsv1alpha1.Runtime{}
		})
		shop.expectGate(t)
	})

	t.Run("an operator without webhooks leaves nothing that nobody answers", func(t *testing.T) {
		o.end(t)
		with := o.configure
		o.configure = nil
		o.start(t)
		shop.expectOpen(t, "there are no webhooks")
		shop.expectConfigurations(t, 0)
		shop.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonWebhooksDisabled, "--webhook-bind-address")
		o.end(t)
		o.configure = with
		o.start(t)
		shop.expectGate(t)
	})

	t.Run("deleted while no operator is there, nothing is left once there is one", func(t *testing.T) {
		o.end(t)
		if _, err := shop.try(t.Context(), "good"); err == nil {
			t.Error("failurePolicy Fail lets a request through while nobody answers")
		}
		wp, err := shop.GetPlugin(t.Context(), "gate")
		if err != nil {
			t.Fatal(err)
		}
		shop.Delete(t, wp)
		o.start(t)
		shop.expectConfigurations(t, 0)
		shop.expectOpen(t, "the plugin is deleted")
		testenv.Eventually(t, "the WasmPlugin is gone", func(ctx context.Context) error {
			if _, err := shop.GetPlugin(ctx, "gate"); !apierrors.IsNotFound(err) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		})
	})
}

// TestOperator_admission_replicas checks that every replica serves the webhooks of plugins, whether or not it is the
// leader, and that the next leader continues where the previous one stopped.
func TestOperator_admission_replicas(t *testing.T) {
	elects := func(o *app.Options) { o.LeaderElection = true }
	addresses := []string{testenv.FreeAddress(t), testenv.FreeAddress(t)}
	first := startOperator(t, servesWebhooks(addresses[0]), elects)
	shop := newTenant(t, first.env, append(gateRules(), annotatorRules()...)...)
	shop.Store(t, "gate", localFixture(t, "gate.wasm"))
	shop.Plugin(t, "gate")
	shop.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	shop.Plugin(t, "annotator")
	shop.ExpectReady(t, "gate")
	shop.ExpectReady(t, "annotator")

	second := &operator{
		env: first.env, config: first.config, dir: first.dir, cache: t.TempDir(), ns: first.ns, log: first.log,
		configure: []func(*app.Options){servesWebhooks(addresses[1]), elects},
	}
	second.start(t)
	t.Cleanup(func() { second.end(t) })
	testenv.Eventually(t, "the replica that is not the leader answers", func(ctx context.Context) error {
		return review(ctx, first, addresses[1], shop.NS)
	})

	first.end(t)
	shop.category(t, "tools")
	shop.expectAnnotated(t, "tools")
	testenv.Eventually(t, "the configurations lead to the new leader", func(ctx context.Context) error {
		category, err := shop.try(ctx, "good")
		if err == nil && category != "gated" {
			err = fmt.Errorf("the category is %q", category)
		}
		return err
	})
}

// review sends the operator an AdmissionReview for an Item in the plugin's namespace that the plugin gate denies, as
// the API server does.
func review(ctx context.Context, o *operator, address, namespace string) error {
	items := metav1.GroupVersionResource{Group: inventoryv1alpha1.GroupVersion.Group, Version: inventoryv1alpha1.GroupVersion.Version, Resource: "items"}
	return reviewed(ctx, o, address, &admissionv1.AdmissionRequest{
		UID: "1", Kind: metav1.GroupVersionKind{Group: items.Group, Version: items.Version, Kind: "Item"}, Resource: items,
		Namespace: namespace, Name: "tried", Operation: admissionv1.Create,
		Object: runtime.RawExtension{Raw: []byte(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item","metadata":{"name":"tried"},"spec":{"name":"REJECT"}}`)},
	}, "REJECT")
}

// reviewed sends an AdmissionReview to the webhook of the plugin gate, and returns an error unless the operator denies
// the request with a message that contains why.
func reviewed(ctx context.Context, o *operator, address string, request *admissionv1.AdmissionRequest, why string) error {
	secret := &corev1.Secret{}
	if err := o.env.Client.Get(ctx, client.ObjectKey{Namespace: o.ns, Name: "k1s-webhook-cert"}, secret); err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(secret.Data["ca.crt"])
	body, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Request: request,
	})
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://localhost:"+port+"/plugins/validate/"+request.Namespace+"/gate", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer admissionv1.AdmissionReview
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", resp.Status, err)
	}
	if answer.Response == nil || answer.Response.Allowed || answer.Response.Result == nil || !strings.Contains(answer.Response.Result.Message, why) {
		return fmt.Errorf("it answers %+v", answer.Response)
	}
	return nil
}
