// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// installed returns the ValidatingWebhookConfiguration of the project's manifests, with an address that this API server
// reaches.
func installed(t *testing.T, o *operator, address string) *admissionregistrationv1.ValidatingWebhookConfiguration {
	t.Helper()
	text := testfile.Read(t, testenv.Root(), "config", "webhook", "wasmplugins.yaml")
	config := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := yaml.Unmarshal(text, config); err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{}
	testenv.Eventually(t, "there is a certificate", func(ctx context.Context) error {
		err := o.env.Client.Get(ctx, client.ObjectKey{Namespace: o.ns, Name: "k1s-webhook-cert"}, secret)
		if err == nil && len(secret.Data["ca.crt"]) == 0 {
			err = fmt.Errorf("it has %d keys", len(secret.Data))
		}
		return err
	})
	config.Name = o.ns
	for i := range config.Webhooks {
		w := &config.Webhooks[i]
		url := "https://" + address + *w.ClientConfig.Service.Path
		w.ClientConfig = admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: secret.Data["ca.crt"]}
		w.FailurePolicy = new(admissionregistrationv1.Fail)
	}
	return config
}

// TestOperator_wasmPluginWebhook checks that the operator, with the permissions of its manifests, validates WasmPlugins
// before they are stored. It knows the contents of a module only if it has loaded a plugin with it.
func TestOperator_wasmPluginWebhook(t *testing.T) {
	listens := testenv.FreeAddress(t)
	address := strings.Replace(listens, "127.0.0.1", "localhost", 1)
	o := startOperator(t, func(o *app.Options) {
		o.WebhookAddress, o.WebhookURL, o.CheckServiceAccountUse = listens, "https://"+address, true
	})
	n := newTenant(t, o.env, annotatorRules()...)
	module := conformanceFixture(t, "annotator.wasm")
	n.Store(t, "annotator", module)
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")

	config := installed(t, o, address)
	config.Webhooks[0].NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": n.NS}}
	n.Create(t, config)
	t.Cleanup(func() { _ = o.env.Client.Delete(context.Background(), config) })

	sum := sha256.Sum256(module)
	pinned := &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta("pinned"), Spec: pluginsv1alpha1.WasmPluginSpec{
		Source:             pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: "annotator"}},
		SHA256:             hex.EncodeToString(sum[:]),
		ServiceAccountName: "plugin",
	}}
	more := pinned.DeepCopy()
	more.Spec.Capabilities = []plugin.Capability{plugin.CapabilityAdmission}
	denied := func(c client.Client, wp *pluginsv1alpha1.WasmPlugin, want string) {
		t.Helper()
		testenv.Eventually(t, "denied: "+want, func(ctx context.Context) error { // the API server applies the configuration with a delay
			err := c.Create(ctx, wp.DeepCopy(), client.DryRunAll)
			if err == nil || !strings.Contains(err.Error(), want) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		})
	}
	denied(o.env.Client, more, `denied the request: spec.capabilities asks for "admission", but the module declares only`)

	manage := rbacv1.PolicyRule{APIGroups: []string{"plugins.k1s.io"}, Resources: []string{"wasmplugins"}, Verbs: []string{"*"}}
	use := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, Verbs: []string{"use"}}
	denied(o.env.Limited(t, manage).Client, pinned, `is allowed neither to use nor to impersonate ServiceAccount "plugin"`)
	if err := o.env.Limited(t, manage, use).Client.Create(t.Context(), pinned); err != nil {
		t.Errorf("who may use the account: %v", err)
	}
	n.ExpectReady(t, "pinned")
	if err := o.env.Client.Delete(t.Context(), pinned); err != nil {
		t.Error(err)
	}
}
