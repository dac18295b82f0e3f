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
	// authorityKey is where the rotator looks for the authority's private key.
	authorityKey = "ca.key"
	// skew is how far the API server's clock may be behind.
	skew = time.Hour
	// retry is the pause between two attempts to make the Secret.
	retry = time.Second
)

// maker makes the Secret where there is none: the rotator only ever changes it. It is whole from the beginning, so
// that of several replicas one makes it and the others find it.
type maker struct {
	store   *Store
	rotator *rotator.CertRotator
	gone    chan struct{}
}

func newMaker(s *Store, r *rotator.CertRotator) *maker {
	m := &maker{store: s, rotator: r, gone: make(chan struct{}, 1)}
	s.gone = append(s.gone, func() {
		select {
		case m.gone <- struct{}{}:
		default:
		}
	})
	return m
}

// NeedLeaderElection is false, as for the rotator.
func (m *maker) NeedLeaderElection() bool { return false }

// Start makes the Secret again whenever it was deleted, until the context ends.
func (m *maker) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.gone:
			if err := m.create(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// create makes the Secret, unless it is there. It tries until it succeeds or may not.
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
			m.store.log.Info("Cannot make the Secret of the webhook server's certificate; trying again", "error", err.Error())
		}
		last = err
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("make Secret %s for the webhook server's certificate: %w", m.store.key, errors.Join(err, last))
	}
	return nil
}

// secret is a Secret as the rotator would fill it.
func (m *maker) secret(now time.Time) (*corev1.Secret, error) {
	ca, err := m.rotator.CreateCACert(now.Add(-skew), now.Add(m.rotator.CaCertDuration))
	if err != nil {
		return nil, fmt.Errorf("make an authority for the webhook server's certificate: %w", err)
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
