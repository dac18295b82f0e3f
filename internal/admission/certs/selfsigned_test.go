// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/k1s-io/k1s/internal/testenv"
)

// TestSelfSigned_renewal changes the Secret in every way that makes the operator write another certificate, while
// requests are made continuously.
func TestSelfSigned_renewal(t *testing.T) {
	env := testenv.Shared(t)
	for _, tc := range []struct {
		name    string
		disturb func(*testing.T, *corev1.Secret) // nil deletes it
		// The CA stays the same, so that no request fails at all.
		sameAuthority bool
	}{
		{"the certificate is due", func(t *testing.T, s *corev1.Secret) {
			due := pairOf(t, s).renew(t, hour)
			s.Data["tls.crt"], s.Data["tls.key"] = due.certificate, due.key
		}, true},
		{"the certificate is damaged", func(_ *testing.T, s *corev1.Secret) { s.Data["tls.crt"] = []byte("damaged") }, true},
		{"the certificate is gone", func(_ *testing.T, s *corev1.Secret) { s.Data["tls.crt"], s.Data["tls.key"] = nil, nil }, true},
		{"the authority is due", func(t *testing.T, s *corev1.Secret) { s.Data = newPair(t, hour).data() }, false},
		{"the authority is damaged", func(_ *testing.T, s *corev1.Secret) { s.Data["ca.crt"] = []byte("damaged") }, false},
		{"the Secret is gone", nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ns := env.Namespace(t)
			key := types.NamespacedName{Namespace: ns, Name: "cert"}
			r := startReplica(t, env, key, &SelfSigned{DNSNames: []string{host}, Configuration: ns})
			configuration := configure(t, env, ns, r.port, nil) // the CA certificate is injected
			testenv.Eventually(t, "the webhook answers", func(ctx context.Context) error { return ask(ctx, env, ns) })
			before, ca := served(t, r), r.store.CABundle()

			asked := askWithoutEnd(t, env, ns, r)
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "cert"}}
			if tc.disturb == nil {
				env.Delete(t, secret)
			} else {
				env.Get(t, key, secret)
				tc.disturb(t, secret)
				env.Update(t, secret)
			}
			disturbed := time.Now()
			testenv.Eventually(t, "there is another certificate, and it is trusted", func(ctx context.Context) error {
				now := served(t, r)
				if now.Equal(before) || time.Until(now.NotAfter) < year/2 {
					return fmt.Errorf("the certificate lasts until %s", now.NotAfter)
				}
				if err := env.Client.Get(ctx, client.ObjectKeyFromObject(configuration), configuration); err != nil {
					return err
				}
				if !bytes.Equal(configuration.Webhooks[0].ClientConfig.CABundle, r.store.CABundle()) {
					return errors.New("the webhook configuration has another authority")
				}
				return ask(ctx, env, ns)
			})
			settled := time.Since(disturbed)
			requests, handshakes := asked()
			t.Logf("settled after %s; requests: %s; new connections: %s", settled.Round(time.Millisecond), requests, handshakes)
			if requests.right == 0 || handshakes.right == 0 {
				t.Errorf("none was answered: the test shows nothing (%s, %s)", requests, handshakes)
			}
			if same := bytes.Equal(ca, r.store.CABundle()); same != tc.sameAuthority {
				t.Errorf("the authority is the same: %t", same)
			}
			if tc.sameAuthority && requests.wrong+handshakes.wrong > 0 {
				t.Errorf("the authority did not change, and yet some failed: %s, %s", requests, handshakes)
			}
			if outage := max(requests.longest, handshakes.longest); outage > testenv.Timeout/2 {
				t.Errorf("it failed for %s", outage)
			}
		})
	}
}

// TestSelfSigned_replicas checks that two operators create one certificate.
func TestSelfSigned_replicas(t *testing.T) {
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	key := types.NamespacedName{Namespace: ns, Name: "cert"}
	self := &SelfSigned{DNSNames: []string{host}}
	first, second := startReplica(t, env, key, self), startReplica(t, env, key, self)
	first.ready(t)
	second.ready(t)
	testenv.Eventually(t, "both serve what the Secret has", func(ctx context.Context) error {
		secret := &corev1.Secret{}
		if err := env.Client.Get(ctx, key, secret); err != nil {
			return err
		}
		want, err := read(secret)
		if err != nil {
			return err
		}
		if !want.pair.Leaf.Equal(served(t, first)) || !want.pair.Leaf.Equal(served(t, second)) {
			return errors.New("one of them serves another certificate")
		}
		return nil
	})
}

// TestSelfSigned_stopsEarly stops a manager whose informers have not synced.
func TestSelfSigned_stopsEarly(t *testing.T) {
	env := *testenv.Shared(t)
	key := types.NamespacedName{Namespace: env.Namespace(t), Name: "cert"}
	lists := make(chan struct{}, 1)
	env.Config = rest.CopyConfig(env.Config)
	env.Config.Wrap(func(next http.RoundTripper) http.RoundTripper { return blocksLists{next, lists} })
	stop := env.StartManager(t, func(mgr manager.Manager) error {
		store, err := NewStore(mgr.GetConfig(), mgr.GetHTTPClient(), key, mgr.GetLogger())
		if err != nil {
			return err
		}
		return SelfSigned{DNSNames: []string{host}, Configuration: key.Namespace}.SetupWithManager(t.Context(), mgr, store)
	})
	<-lists
	stop() // which fails if a runnable does not end
}

// blocksLists does not answer requests that list or watch objects.
type blocksLists struct {
	next  http.RoundTripper
	lists chan struct{}
}

// RoundTrip implements http.RoundTripper.
func (b blocksLists) RoundTrip(r *http.Request) (*http.Response, error) {
	if !r.URL.Query().Has("fieldSelector") {
		return b.next.RoundTrip(r)
	}
	select {
	case b.lists <- struct{}{}:
	default:
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestSelfSigned_permissions checks that the operator needs permissions on two objects only, by their names.
func TestSelfSigned_permissions(t *testing.T) {
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	limited := env.Limited(t,
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create"}},
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"cert"}, Verbs: []string{"get", "list", "watch", "update"}},
		rbacv1.PolicyRule{
			APIGroups: []string{admissionregistrationv1.GroupName}, Resources: []string{"validatingwebhookconfigurations"}, ResourceNames: []string{ns},
			Verbs: []string{"get", "list", "watch", "update"},
		})
	r := startReplica(t, limited, types.NamespacedName{Namespace: ns, Name: "cert"}, &SelfSigned{DNSNames: []string{host}, Configuration: ns})
	configuration := configure(t, env, ns, r.port, []byte(nil))
	testenv.Eventually(t, "the webhook answers", func(ctx context.Context) error { return ask(ctx, env, ns) })

	// Somebody else removes the CA certificate, as an upgrade of the chart does.
	env.Get(t, client.ObjectKeyFromObject(configuration), configuration)
	configuration.Webhooks[0].ClientConfig.CABundle = nil
	env.Update(t, configuration)
	testenv.Eventually(t, "the CA certificate is back", func(ctx context.Context) error {
		if err := env.Client.Get(ctx, client.ObjectKeyFromObject(configuration), configuration); err != nil {
			return err
		}
		if !bytes.Equal(configuration.Webhooks[0].ClientConfig.CABundle, r.store.CABundle()) {
			return errors.New("the configuration has another CA certificate")
		}
		return nil
	})
}

// TestSelfSigned_names checks that the certificate is renewed when the server's name changes, for example by another
// --webhook-url.
func TestSelfSigned_names(t *testing.T) {
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	key := types.NamespacedName{Namespace: ns, Name: "cert"}
	for _, names := range [][]string{{"a.example", "b.example"}, {"c.example", "a.example"}, {"c.example", "d.example"}} {
		r := startReplica(t, env, key, &SelfSigned{DNSNames: names})
		testenv.Eventually(t, "the certificate has the names", func(context.Context) error {
			if err := r.store.Check(nil); err != nil {
				return err
			}
			return errors.Join(served(t, r).VerifyHostname(names[0]), served(t, r).VerifyHostname(names[1]))
		})
	}
}

// TestSelfSigned_namespaceMissing checks that a missing namespace is an error, and not an endless wait.
func TestSelfSigned_namespaceMissing(t *testing.T) {
	env := testenv.Shared(t)
	mgr, err := ctrl.NewManager(env.Config, ctrl.Options{Scheme: env.Scheme, Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewStore(mgr.GetConfig(), mgr.GetHTTPClient(), types.NamespacedName{Namespace: "missing", Name: "cert"}, mgr.GetLogger())
	if err != nil {
		t.Fatal(err)
	}
	err = SelfSigned{DNSNames: []string{host}}.SetupWithManager(t.Context(), mgr, s)
	if !apierrors.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}

// pairOf returns the pair in a Secret.
func pairOf(t *testing.T, s *corev1.Secret) pair {
	t.Helper()
	ca, err := parsePair(s.Data["ca.crt"], s.Data["ca.key"])
	if err != nil {
		t.Fatal(err)
	}
	return pair{authority: ca, ca: ca.certificate, certificate: s.Data["tls.crt"], key: s.Data["tls.key"]}
}

func served(t *testing.T, r replica) *x509.Certificate {
	t.Helper()
	c, err := r.store.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf
}

// responseCounter counts successful and failed responses.
type responseCounter struct {
	right, wrong int
	longest      time.Duration // longest time without a successful one
	last         error
	since        time.Time // time of the last successful one
}

func (t *responseCounter) count(err error) {
	now := time.Now()
	if err != nil {
		t.wrong++
		t.last = err
		t.longest = max(t.longest, now.Sub(t.since))
		return
	}
	if t.last != nil {
		t.longest = max(t.longest, now.Sub(t.since))
	}
	t.right++
	t.last, t.since = nil, now
}

func (t responseCounter) String() string {
	return fmt.Sprintf("%d right, %d wrong, at most %s without a right one", t.right, t.wrong, t.longest.Round(time.Millisecond))
}

// askWithoutEnd makes requests, and opens connections like an API server without open ones, until end is called.
func askWithoutEnd(t *testing.T, env *testenv.Env, ns string, r replica) (end func() (requests, handshakes responseCounter)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	requests, handshakes := responseCounter{since: time.Now()}, responseCounter{since: time.Now()}
	running.Go(func() {
		for ctx.Err() == nil {
			if err := ask(ctx, env, ns); ctx.Err() == nil {
				requests.count(err)
			}
		}
	})
	running.Go(func() {
		for ctx.Err() == nil {
			if err := connect(ctx, env, ns, r); ctx.Err() == nil {
				handshakes.count(err)
			}
		}
	})
	return func() (responseCounter, responseCounter) {
		cancel()
		running.Wait()
		return requests, handshakes
	}
}

// connect opens a connection that trusts the CA bundle of the webhook configuration.
func connect(ctx context.Context, env *testenv.Env, ns string, r replica) error {
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := env.Client.Get(ctx, client.ObjectKey{Name: ns}, configuration); err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(configuration.Webhooks[0].ClientConfig.CABundle)
	dialer := tls.Dialer{Config: &tls.Config{ServerName: host, RootCAs: trusted, MinVersion: tls.VersionTLS12}}
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)))
	if err != nil {
		return err
	}
	return c.Close()
}
