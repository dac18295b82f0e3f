// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/testenv"
)

// TestStore_follow has another component maintain the Secret, and an operator with permission to read only this Secret.
func TestStore_follow(t *testing.T) {
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	key := types.NamespacedName{Namespace: ns, Name: "cert"}
	limited := env.Limited(t, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"cert"}, Verbs: []string{"list", "watch"}})
	r := startReplica(t, limited, key, nil)
	changes := r.store.Subscribe()

	first := newPair(t, year)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "cert"}, Type: corev1.SecretTypeTLS, Data: first.data()}
	env.Create(t, secret)
	notified(t, changes)
	if !bytes.Equal(r.store.CABundle(), first.ca) {
		t.Error("it was notified of another CA than that of the Secret")
	}
	configure(t, env, ns, r.port, r.store.CABundle())
	testenv.Eventually(t, "the webhook answers", func(ctx context.Context) error { return ask(ctx, env, ns) })

	second := first.renew(t, year)
	update(t, env, secret, second)
	servesCertificate(t, r, second)
	if err := ask(t.Context(), env, ns); err != nil {
		t.Errorf("with another certificate of the authority: %v", err)
	}
	if len(changes) > 0 {
		t.Error("it was told that the authority has changed")
	}

	third := newPair(t, year)
	third.ca = append(third.ca, first.ca...) // during the replacement of a CA, the bundle has both for a while
	update(t, env, secret, third)
	notified(t, changes)
	servesCertificate(t, r, third)
	if !bytes.Equal(r.store.CABundle(), third.ca) {
		t.Error("not all of ca.crt is passed on")
	}

	env.Delete(t, secret)
	testenv.Consistently(t, "the last certificate is served on, and nobody makes the Secret", time.Second, func(ctx context.Context) error {
		if !served(t, r).Equal(mustRead(t, third).pair.Leaf) {
			return errors.New("another certificate is served")
		}
		if err := env.Client.Get(ctx, key, &corev1.Secret{}); !apierrors.IsNotFound(err) {
			return errors.Join(errors.New("the Secret is there"), err)
		}
		return nil
	})
}

func update(t *testing.T, env *testenv.Env, secret *corev1.Secret, p pair) {
	t.Helper()
	secret.Data = p.data()
	env.Update(t, secret)
}

func servesCertificate(t *testing.T, r replica, p pair) {
	t.Helper()
	testenv.Eventually(t, "it serves the new certificate", func(context.Context) error {
		if !served(t, r).Equal(mustRead(t, p).pair.Leaf) {
			return errors.New("it serves another one")
		}
		return nil
	})
}

func notified(t *testing.T, changes <-chan struct{}) {
	t.Helper()
	select {
	case <-changes:
	case <-time.After(testenv.Timeout):
		t.Fatal("nobody was told that the authority has changed")
	}
}
