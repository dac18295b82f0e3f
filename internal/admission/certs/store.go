// SPDX-License-Identifier: Apache-2.0

// Package certs implements the serving certificate of the webhook server. The certificate is in a Secret, which is
// created and renewed by SelfSigned or by another component, such as cert-manager. It is served directly from there.
package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// +kubebuilder:rbac:groups="",resources=secrets,resourceNames=k1s-webhook-cert,verbs=get;list;watch;update,namespace=k1s-system

// errNone means that the Secret has had no certificate yet.
var errNone = errors.New("the webhook server has no certificate yet")

// Store serves the certificate of a Secret, and picks up every change of it. If the Secret is deleted or its content is
// not valid, the Store keeps serving the last valid certificate. It is a manager.Runnable that runs in every replica.
type Store struct {
	key     types.NamespacedName
	secrets corev1client.SecretInterface
	log     logr.Logger
	watch   cache.SharedIndexInformer
	now     atomic.Pointer[content]

	mu sync.Mutex
	// bundles receive a value after each change of CABundle, and events after each event of the Secret.
	bundles, events []chan struct{}
}

// NewStore returns a Store. The config needs permission to list and watch the one Secret, by its name.
func NewStore(config *rest.Config, client *http.Client, key types.NamespacedName, log logr.Logger) (*Store, error) {
	core, err := corev1client.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("make a client for Secret %s: %w", key, err)
	}
	s := &Store{key: key, secrets: core.Secrets(key.Namespace), log: log.WithValues("secret", key)}
	s.watch = watchOne(s.secrets.List, s.secrets.Watch, key.Name, &corev1.Secret{})
	_, err = s.watch.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { s.load(o.(*corev1.Secret)) },
		UpdateFunc: func(_, o any) { s.load(o.(*corev1.Secret)) },
		DeleteFunc: func(any) {
			s.log.Info("The Secret of the webhook server's certificate was deleted; what it had is served on")
			s.notify(&s.events)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("watch Secret %s: %w", key, err)
	}
	return s, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica serves webhooks.
func (s *Store) NeedLeaderElection() bool { return false }

// Start watches the Secret until the context is canceled.
func (s *Store) Start(ctx context.Context) error {
	s.watch.RunWithContext(klog.NewContext(ctx, s.log)) // client-go logs to the logger of the context
	return nil
}

// GetCertificate returns the certificate; it is for a tls.Config.
func (s *Store) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c := s.now.Load()
	if c == nil {
		return nil, errNone
	}
	return c.pair, nil
}

// Check returns an error if there is no certificate; it is a healthz.Checker.
func (s *Store) Check(*http.Request) error {
	_, err := s.GetCertificate(nil)
	return err
}

// CABundle returns the CA certificates for webhook configurations: all of ca.crt, in PEM. It is empty until there is a
// certificate.
func (s *Store) CABundle() []byte {
	c := s.now.Load()
	if c == nil {
		return nil
	}
	return c.ca
}

// Subscribe returns a channel that receives a value after every change of CABundle. Changes are combined until the
// value is received.
func (s *Store) Subscribe() <-chan struct{} { return s.subscribe(&s.bundles) }

func (s *Store) subscribe(to *[]chan struct{}) chan struct{} {
	c := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	*to = append(*to, c)
	return c
}

func (s *Store) notify(subscribers *[]chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range *subscribers {
		send(c)
	}
}

// send sends a value that stands for all changes until it is received.
func send(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// load loads the content of the Secret.
func (s *Store) load(secret *corev1.Secret) {
	defer s.notify(&s.events)
	next, err := read(secret)
	if errors.Is(err, errEmpty) {
		s.log.V(1).Info("The webhook server's certificate is not in its Secret yet")
		return
	}
	if err != nil {
		s.log.Error(err, "The webhook server's certificate cannot be used; the last good one is served on, if there is one")
		return
	}
	before := s.now.Swap(next)
	if before.same(next) {
		return
	}
	s.log.Info("The webhook server has a certificate", "notAfter", next.pair.Leaf.NotAfter, "names", next.pair.Leaf.DNSNames)
	if !before.trusts(next) {
		s.notify(&s.bundles)
	}
}
