// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// testCluster is a namespace whose WasmPlugins the webhook validates, and the warnings that clients receive.
type testCluster struct {
	*testenv.Env

	namespace string
	known     *plugin.Described
}

// newTestCluster serves the webhook for a namespace of its own.
func newTestCluster(t *testing.T, change ...func(*Options)) *testCluster {
	t.Helper()
	env := testenv.Shared(t)
	w := &testCluster{Env: env, namespace: env.Namespace(t), known: plugin.NewDescribed()}
	hook := w.configuration()
	serving := envtest.WebhookInstallOptions{LocalServingHost: "127.0.0.1", LocalServingPort: testenv.FreePort(t), ValidatingWebhooks: []*admissionregistrationv1.ValidatingWebhookConfiguration{hook}}
	if err := serving.Install(env.Config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(serving.Cleanup(), env.Client.Delete(context.Background(), hook)); err != nil {
			t.Error(err)
		}
	})
	address := net.JoinHostPort(serving.LocalServingHost, fmt.Sprint(serving.LocalServingPort))
	mgr, err := ctrl.NewManager(env.Config, ctrl.Options{
		Scheme: env.Scheme, Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		WebhookServer: webhook.NewServer(webhook.Options{
			Host: serving.LocalServingHost, Port: serving.LocalServingPort, CertDir: serving.LocalServingCertDir,
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	reviews, err := authorizationv1client.NewForConfig(env.Config)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Known: w.known, Reviews: reviews.SubjectAccessReviews(), Operator: rbac.NewOperator(env.Config)}
	for _, f := range change {
		f(&o)
	}
	Register(mgr.GetWebhookServer(), mgr.GetScheme(), o)
	testenv.Background(t, mgr.Start)
	testenv.Eventually(t, "the webhook serves", func(ctx context.Context) error {
		dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	w.matched(t)
	return w
}

// matched waits until the API server calls the webhook.
func (w *testCluster) matched(t *testing.T) {
	t.Helper()
	bad := w.plugin("probe", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Settings = &runtime.RawExtension{Raw: []byte(`{"a":1}`)}
		s.SettingsFrom = []pluginsv1alpha1.SettingSource{{As: "a", SecretRef: pluginsv1alpha1.SecretKeyReference{Name: "s", Key: "k"}}}
	})
	testenv.Eventually(t, "the webhook is in use", func(ctx context.Context) error {
		err := w.Client.Create(ctx, bad.DeepCopy(), client.DryRunAll)
		if err == nil || !strings.Contains(err.Error(), "denied the request") {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
}

func (w *testCluster) configuration() *admissionregistrationv1.ValidatingWebhookConfiguration {
	path := Path
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name:                    "wasmplugins.plugins.k1s.io",
			AdmissionReviewVersions: []string{"v1"},
			SideEffects:             new(admissionregistrationv1.SideEffectClassNone),
			FailurePolicy:           new(admissionregistrationv1.Fail),
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": w.namespace}},
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				Service: &admissionregistrationv1.ServiceReference{Namespace: "default", Name: "webhook", Path: &path},
			},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{"CREATE", "UPDATE", "DELETE"},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{"plugins.k1s.io"}, APIVersions: []string{"v1alpha1"}, Resources: []string{"wasmplugins"}},
			}},
		}},
	}
}

// plugin returns a WasmPlugin that is valid, except for the changes of mutate.
func (w *testCluster) plugin(name string, mutate ...func(*pluginsv1alpha1.WasmPluginSpec)) *pluginsv1alpha1.WasmPlugin {
	wp := &pluginsv1alpha1.WasmPlugin{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec:       pluginsv1alpha1.WasmPluginSpec{Source: pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: "module"}}},
	}
	for _, m := range mutate {
		m(&wp.Spec)
	}
	return wp
}

// user returns a client of a user who is allowed to change WasmPlugins in the namespace, and has the permissions of the
// rules.
func (w *testCluster) user(t *testing.T, rules ...rbacv1.PolicyRule) client.Client {
	t.Helper()
	rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{"plugins.k1s.io"}, Resources: []string{"wasmplugins"}, Verbs: []string{"*"}})
	return w.Limited(t, rules...).Client
}
