// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/k1s-io/k1s/internal/testenv"
)

const (
	// A certificate that is valid for a year is far from its renewal, and one that is valid for an hour is due.
	year = 365 * 24 * time.Hour
	hour = time.Hour
	// host is the DNS name of the tests' webhook servers in the webhook configurations.
	host = "localhost"
	// deniedMessage is the message of their denials.
	deniedMessage = "the webhook was asked"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// pair is a certificate, and the CA that issued it.
type pair struct {
	authority            *keyPair
	ca, certificate, key []byte // PEM
}

// newPair returns a CA and a certificate with the given lifetime.
func newPair(t *testing.T, lasts time.Duration) pair {
	t.Helper()
	ca, err := newCA(time.Now(), lasts)
	if err != nil {
		t.Fatal(err)
	}
	return pair{authority: ca, ca: ca.certificate}.renew(t, lasts)
}

// renew returns another certificate of the same CA.
func (p pair) renew(t *testing.T, lasts time.Duration) pair {
	t.Helper()
	server, err := p.authority.issueServer([]string{host}, time.Now(), lasts)
	if err != nil {
		t.Fatal(err)
	}
	p.certificate, p.key = server.certificate, server.key
	return p
}

// data returns the data of a Secret with the pair.
func (p pair) data() map[string][]byte {
	return map[string][]byte{"ca.crt": p.ca, "ca.key": p.authority.key, "tls.crt": p.certificate, "tls.key": p.key}
}

func mustRead(t *testing.T, p pair) *content {
	t.Helper()
	c, err := read(&corev1.Secret{Data: p.data()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// replica is a webhook server that is configured like that of the operator.
type replica struct {
	store *Store
	port  int
}

// startReplica starts a manager with a webhook server that denies every request for a ConfigMap.
func startReplica(t *testing.T, env *testenv.Env, key types.NamespacedName, self *SelfSigned) replica {
	t.Helper()
	r := replica{port: testenv.FreePort(t)}
	env.StartManager(t, func(mgr manager.Manager) (err error) {
		if r.store, err = NewStore(mgr.GetConfig(), mgr.GetHTTPClient(), key, mgr.GetLogger()); err != nil {
			return err
		}
		if self != nil {
			if err := self.SetupWithManager(t.Context(), mgr, r.store); err != nil {
				return err
			}
		}
		server := webhook.NewServer(webhook.Options{Host: "127.0.0.1", Port: r.port, TLSOpts: tlsOptions(r.store)})
		server.Register("/deny", &admission.Webhook{LogConstructor: func(logr.Logger, *admission.Request) logr.Logger { return logr.Discard() }, Handler: admission.HandlerFunc(
			func(context.Context, admission.Request) admission.Response { return admission.Denied(deniedMessage) },
		)})
		return errors.Join(mgr.Add(r.store), mgr.Add(server))
	})
	return r
}

// configure creates a webhook configuration that sends the requests for all ConfigMaps of a namespace to a server.
func configure(t *testing.T, env *testenv.Env, namespace string, port int, ca []byte) *admissionregistrationv1.ValidatingWebhookConfiguration {
	t.Helper()
	url := "https://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/deny"
	c := &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name:                    "deny.k1s.io",
			AdmissionReviewVersions: []string{"v1"},
			SideEffects:             new(admissionregistrationv1.SideEffectClassNone),
			FailurePolicy:           new(admissionregistrationv1.Fail),
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
			ClientConfig:            admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: ca},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
		}},
	}
	env.Create(t, c)
	t.Cleanup(func() {
		if err := env.Client.Delete(context.WithoutCancel(t.Context()), c); err != nil {
			t.Errorf("delete the webhook configuration: %v", err)
		}
	})
	return c
}

// ask makes a request that the webhook denies. It returns an error if the webhook was not called.
func ask(ctx context.Context, env *testenv.Env, namespace string) error {
	asked := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "asked-"}}
	err := env.Client.Create(ctx, asked, client.DryRunAll)
	if err == nil {
		return errors.New("the webhook was not asked")
	}
	if !strings.Contains(err.Error(), deniedMessage) {
		return err
	}
	return nil
}

// ready polls until the store has a certificate.
func (r replica) ready(t *testing.T) {
	t.Helper()
	testenv.Eventually(t, "the server has a certificate", func(context.Context) error { return r.store.Check(&http.Request{}) })
}

func tlsOptions(s *Store) []func(*tls.Config) {
	return []func(*tls.Config){func(c *tls.Config) { c.GetCertificate = s.GetCertificate }}
}
