// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// authorityKey is the key of the Secret where the rotator expects the CA's private key.
	authorityKey = "ca.key"
	// skew is how far the API server's clock may be behind.
	skew = time.Hour
	// retry is the pause between two attempts to create the Secret.
	retry = time.Second
)

// maker creates the Secret if it does not exist: the rotator only updates it. The Secret is complete when it is
// created, so that of several replicas one creates it and the others find it.
type maker struct {
	store   *Store
	rotator *rotator.CertRotator
	done    chan struct{}
}

func newMaker(s *Store, r *rotator.CertRotator) *maker {
	m := &maker{store: s, rotator: r, done: make(chan struct{}, 1)}
	s.removed = append(s.removed, func() {
		select {
		case m.done <- struct{}{}:
		default:
		}
	})
	return m
}

// NeedLeaderElection implements manager.LeaderElectionRunnable, as for the rotator.
func (m *maker) NeedLeaderElection() bool { return false }

// Start creates the Secret again whenever it was deleted, until the context is canceled.
func (m *maker) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.done:
			if err := m.create(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// create creates the Secret, unless it exists. It retries until it succeeds or the error is permanent, such as a
// missing permission.
func (m *maker) create(ctx context.Context) error {
	var secret *corev1.Secret
	var last error
	err := wait.PollUntilContextCancel(ctx, retry, true, func(ctx context.Context) (bool, error) {
		_, err := m.store.secrets.Get(ctx, m.store.key.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			if secret == nil {
				if secret, err = m.secret(time.Now()); err != nil {
					return false, err
				}
			}
			_, err = m.store.secrets.Create(ctx, secret, metav1.CreateOptions{})
		}
		switch {
		case err == nil, apierrors.IsAlreadyExists(err):
			return true, nil
		case apierrors.IsForbidden(err), apierrors.IsNotFound(err), apierrors.IsInvalid(err):
			return false, err
		case last == nil:
			m.store.log.Info("Failed to create the Secret of the webhook server's certificate; retrying", "error", err.Error())
		}
		last = err
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("make Secret %s for the webhook server's certificate: %w", m.store.key, errors.Join(err, last))
	}
	return nil
}

// secret returns a Secret with the content that the rotator expects.
func (m *maker) secret(now time.Time) (*corev1.Secret, error) {
	ca, err := m.rotator.CreateCACert(now.Add(-skew), now.Add(m.rotator.CaCertDuration))
	if err != nil {
		return nil, fmt.Errorf("create a CA for the webhook server's certificate: %w", err)
	}
	certificate, key, err := m.rotator.CreateCertPEM(ca, now.Add(-skew), now.Add(m.rotator.ServerCertDuration))
	if err != nil {
		return nil, fmt.Errorf("make the webhook server's certificate: %w", err)
	}
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.store.key.Namespace, Name: m.store.key.Name},
		Type:       corev1.SecretTypeTLS,
		Data: map[string][]byte{
			corev1.ServiceAccountRootCAKey: ca.CertPEM, authorityKey: ca.KeyPEM,
			corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key,
		},
	}, nil
}
