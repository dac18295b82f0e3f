// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	admissionregistrationv1client "k8s.io/client-go/kubernetes/typed/admissionregistration/v1"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

const (
	// caKey is the key of the Secret with the private key of the CA.
	caKey = "ca.key"
	// fieldManager is the field manager of the CA certificate in webhook configurations.
	fieldManager = "k1s-webhook-ca"
	// retryCreate is the delay before the creation of the Secret is retried.
	retryCreate = time.Second
	// minRetry and maxRetry limit the growing delays before a renewal is retried.
	minRetry, maxRetry = time.Second, time.Minute
)

// +kubebuilder:rbac:groups="",resources=secrets,verbs=create,namespace=k1s-system
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations,verbs=list;watch
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations,resourceNames=k1s,verbs=get;update

// SelfSigned creates a Store's Secret with a self-signed CA and a certificate of it, and renews both in time.
type SelfSigned struct {
	// DNSNames are the DNS names of the certificate, which is renewed if it lacks one of them. IP addresses are not
	// possible.
	DNSNames []string
	// Configuration is the name of a ValidatingWebhookConfiguration that gets the CA certificate; empty means that there
	// is no such configuration.
	Configuration string
	// Authority and Server are the lifetimes of the certificates of the CA and of the server. They are renewed when the
	// remaining lifetime is below Renew, which is checked every Check, and when the Secret or the configuration changes.
	// The defaults are 10 years, 1 year, 90 days and 12 hours.
	Authority, Server, Renew, Check time.Duration
}

// selfSigned maintains the Secret of a Store and the CA certificate in a webhook configuration. It is a
// manager.Runnable.
type selfSigned struct {
	SelfSigned

	store          *Store
	configurations admissionregistrationv1client.ValidatingWebhookConfigurationInterface
	// configuration is the informer of the configuration, or nil.
	configuration cache.SharedIndexInformer
	// changed receives a value after each change of the Secret or of the configuration.
	changed <-chan struct{}
}

// SetupWithManager makes the manager maintain a Store's Secret, and returns when the Secret exists or cannot be created.
// All replicas maintain the Secret, not only the leader. Otherwise a rollout could wait forever: the new Pod would wait
// for a certificate, while the old Pod, which is the leader and may not know about certificates, would wait for the new
// Pod to become ready.
func (o SelfSigned) SetupWithManager(ctx context.Context, mgr manager.Manager, s *Store) error {
	const day = 24 * time.Hour
	o.Authority, o.Server = cmp.Or(o.Authority, 10*365*day), cmp.Or(o.Server, 365*day)
	o.Renew, o.Check = cmp.Or(o.Renew, 90*day), cmp.Or(o.Check, day/2)
	admission, err := admissionregistrationv1client.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("make a client for webhook configurations: %w", err)
	}
	changed := s.subscribe(&s.events)
	m := &selfSigned{SelfSigned: o, store: s, configurations: admission.ValidatingWebhookConfigurations(), changed: changed}
	if o.Configuration != "" {
		m.configuration = watchOne(m.configurations.List, m.configurations.Watch, o.Configuration, &admissionregistrationv1.ValidatingWebhookConfiguration{})
		if _, err := m.configuration.AddEventHandler(signal(changed)); err != nil {
			return fmt.Errorf("watch ValidatingWebhookConfiguration %q: %w", o.Configuration, err)
		}
	}
	if err := m.create(ctx); err != nil {
		return fmt.Errorf("make Secret %s for the webhook server's certificate: %w", s.key, err)
	}
	if err := mgr.Add(m); err != nil {
		return fmt.Errorf("add to the manager: %w", err)
	}
	return nil
}

// create ensures the Secret. It retries until it succeeds or the error is permanent, such as a missing permission.
func (m *selfSigned) create(ctx context.Context) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, retryCreate, true, func(ctx context.Context) (bool, error) {
		_, err := m.ensureSecret(ctx)
		switch {
		case apierrors.IsForbidden(err), apierrors.IsNotFound(err), apierrors.IsInvalid(err):
			return false, err
		case err != nil && last == nil && !isRace(err):
			m.store.log.Info("Failed to create the Secret of the webhook server's certificate; retrying", "error", err.Error())
		}
		last = err
		return err == nil, nil
	})
	if last != nil && err != nil {
		return fmt.Errorf("%w; the last error was: %w", err, last)
	}
	return err
}

// isRace reports whether another replica was faster.
func isRace(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }

// NeedLeaderElection implements manager.LeaderElectionRunnable, see SetupWithManager.
func (m *selfSigned) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (m *selfSigned) Start(ctx context.Context) error {
	if m.configuration != nil {
		go m.configuration.RunWithContext(ctx)
	}
	backoff := wait.Backoff{Duration: minRetry, Factor: 2, Steps: 100, Cap: maxRetry}
	for delays := backoff; ctx.Err() == nil; {
		next := m.Check
		if err := m.ensure(ctx); err == nil {
			delays = backoff
		} else {
			next = delays.Step()
			if ctx.Err() == nil && !isRace(err) {
				m.store.log.Error(err, "Failed to renew the webhook server's certificate; retrying", "after", next)
			}
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-m.changed:
		}
		timer.Stop()
	}
	return nil
}

// ensure ensures the Secret, and then the CA certificate in the webhook configuration.
func (m *selfSigned) ensure(ctx context.Context) error {
	ca, err := m.ensureSecret(ctx)
	if err != nil || m.Configuration == "" {
		return err
	}
	configuration, err := m.configurations.Get(ctx, m.Configuration, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil // its creation is an event
	}
	if err != nil {
		return fmt.Errorf("get ValidatingWebhookConfiguration %q: %w", m.Configuration, err)
	}
	stale := false
	for i := range configuration.Webhooks {
		current := &configuration.Webhooks[i].ClientConfig
		stale = stale || !bytes.Equal(current.CABundle, ca)
		current.CABundle = ca
	}
	if !stale {
		return nil
	}
	if _, err := m.configurations.Update(ctx, configuration, metav1.UpdateOptions{FieldManager: fieldManager}); err != nil {
		return fmt.Errorf("set the CA in ValidatingWebhookConfiguration %q: %w", m.Configuration, err)
	}
	return nil
}

// ensureSecret creates the Secret, or renews what has to be renewed in it. It returns the CA certificate in PEM. The
// Secret is always complete, so that of several replicas one writes it and the others find it.
func (m *selfSigned) ensureSecret(ctx context.Context) ([]byte, error) {
	secret, err := m.store.secrets.Get(ctx, m.store.key.Name, metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	if missing {
		secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: m.store.key.Namespace, Name: m.store.key.Name}, Type: corev1.SecretTypeTLS}
	} else if err != nil {
		return nil, fmt.Errorf("get the Secret: %w", err)
	}
	data, err := m.renewed(secret.Data, time.Now())
	if err != nil {
		return nil, fmt.Errorf("issue the webhook server's certificate: %w", err)
	}
	if data == nil {
		return secret.Data[corev1.ServiceAccountRootCAKey], nil
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	maps.Copy(secret.Data, data)
	if missing {
		_, err = m.store.secrets.Create(ctx, secret, metav1.CreateOptions{})
	} else {
		_, err = m.store.secrets.Update(ctx, secret, metav1.UpdateOptions{}) // with its resourceVersion
	}
	return data[corev1.ServiceAccountRootCAKey], err
}

// renewed returns the next content of the Secret, or nil if the content is right. A new CA issues a new certificate.
func (m *selfSigned) renewed(data map[string][]byte, now time.Time) (map[string][]byte, error) {
	due := now.Add(m.Renew)
	ca, err := parsePair(data[corev1.ServiceAccountRootCAKey], data[caKey])
	if err != nil || !ca.isCA(due) {
		if ca, err = newCA(now, m.Authority); err != nil {
			return nil, err
		}
	}
	server, err := parsePair(data[corev1.TLSCertKey], data[corev1.TLSPrivateKeyKey])
	if err == nil && server.isServer(ca, m.DNSNames, due) {
		return nil, nil //nolint:nilnil // as documented
	}
	if server, err = ca.issueServer(m.DNSNames, now, m.Server); err != nil {
		return nil, err
	}
	return map[string][]byte{
		corev1.ServiceAccountRootCAKey: ca.certificate, caKey: ca.key,
		corev1.TLSCertKey: server.certificate, corev1.TLSPrivateKeyKey: server.key,
	}, nil
}
