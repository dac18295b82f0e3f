// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// TestOperator_webhooks checks that the operator, with the permissions of its manifests, serves webhooks as in a
// cluster.
func TestOperator_webhooks(t *testing.T) {
	env := testenv.Shared(t)
	static := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	text := testfile.Read(t, testenv.Root(), "config", "webhook", "wasmplugins.yaml")
	if err := yaml.Unmarshal(text, static); err != nil {
		t.Fatal(err)
	}
	env.Create(t, static)
	t.Cleanup(func() { _ = env.Client.Delete(context.WithoutCancel(t.Context()), static) })
	webhooks, probes := testenv.FreeAddress(t), testenv.FreeAddress(t)
	o := startOperator(t, func(o *app.Options) { o.WebhookAddress, o.ProbeAddress = webhooks, probes })

	testenv.Eventually(t, "the operator is ready", func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+probes+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
	secret := &corev1.Secret{}
	env.Get(t, client.ObjectKey{Namespace: o.ns, Name: "k1s-webhook-cert"}, secret)
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(secret.Data["ca.crt"]) {
		t.Fatalf("ca.crt is %q", secret.Data["ca.crt"])
	}
	dialer := tls.Dialer{Config: &tls.Config{ServerName: "k1s-webhook." + o.ns + ".svc", RootCAs: trusted, MinVersion: tls.VersionTLS12}}
	c, err := dialer.DialContext(t.Context(), "tcp", webhooks)
	if err != nil {
		t.Fatalf("it is ready, but does not serve: %v", err)
	}
	c.Close()

	testenv.Eventually(t, "the installed configuration has the authority's certificate", func(ctx context.Context) error {
		if err := env.Client.Get(ctx, client.ObjectKeyFromObject(static), static); err != nil {
			return err
		}
		for _, w := range static.Webhooks {
			if !bytes.Equal(w.ClientConfig.CABundle, secret.Data["ca.crt"]) {
				return fmt.Errorf("%s has %q", w.Name, w.ClientConfig.CABundle)
			}
		}
		return nil
	})
}

// TestOperator_webhooks_secret checks that the operator serves with a certificate that another controller stores.
func TestOperator_webhooks_secret(t *testing.T) {
	webhooks, probes := testenv.FreeAddress(t), testenv.FreeAddress(t)
	o := startOperator(t, func(o *app.Options) {
		o.WebhookAddress, o.ProbeAddress, o.WebhookCerts = webhooks, probes, app.WebhookCertsSecret
	})
	status := func(ctx context.Context) (int, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+probes+"/readyz/webhooks", nil)
		if err != nil {
			return 0, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		return resp.StatusCode, nil
	}
	testenv.Eventually(t, "probes are answered", func(ctx context.Context) error {
		_, err := status(ctx)
		return err
	})
	if code, err := status(t.Context()); err != nil || code == http.StatusOK {
		t.Errorf("without a certificate: %d, %v", code, err)
	}
	secret := &corev1.Secret{Type: corev1.SecretTypeTLS, Data: certificate(t)}
	secret.Namespace, secret.Name = o.ns, "k1s-webhook-cert"
	o.env.Create(t, secret)
	testenv.Eventually(t, "it serves with the certificate", func(ctx context.Context) error {
		if code, err := status(ctx); err != nil || code != http.StatusOK {
			return fmt.Errorf("%d, %w", code, err)
		}
		return nil
	})
}

// certificate returns a self-signed certificate of another issuer in the format of a Secret.
func certificate(t *testing.T) map[string][]byte {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	server.Close()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	return map[string][]byte{
		"tls.crt": public,
		"ca.crt":  public, // it is self-signed
		"tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	}
}
