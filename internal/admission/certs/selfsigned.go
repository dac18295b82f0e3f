// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

const (
	authority    = "k1s-webhook-ca"
	organization = "k1s"
	// fieldOwner is who webhook configurations have the authority's certificate from.
	fieldOwner = "k1s-webhook-ca"
)

// The rotator's own cache holds all Secrets of the namespace and all ValidatingWebhookConfigurations.
// +kubebuilder:rbac:groups="",resources=secrets,verbs=create;list;watch,namespace=k1s-system
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations,verbs=list;watch
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations,resourceNames=k1s,verbs=update

// SelfSigned fills a Store's Secret with a certificate of an authority of its own, and renews both in time.
type SelfSigned struct {
	// DNSNames are those of the certificate; it is made anew when it lacks the first. Addresses are not possible.
	DNSNames []string
	// Configurations are the names of ValidatingWebhookConfigurations that get the authority's certificate.
	Configurations []string
	// Name is that of the controller; it may be there once in a process. Empty is "cert-rotator".
	Name string
	// Certificates of the authority and of the server last as long as this, and are renewed when they last no
	// longer than Renew, which is looked at every Check, and when the Secret changes. 0 is 10 years, a year, 90
	// days, and 12 hours.
	Authority, Server, Renew, Check time.Duration
}

// SetupWithManager has the manager keep a Store's Secret. It makes the Secret first, as the rotator ends without:
// it returns when that is done, or cannot be. All replicas keep it, the leader and the others, or else a rollout
// would wait for ever: the new Pod for a certificate, the old one, which leads and may know nothing of
// certificates, for the new one to be ready.
func (o SelfSigned) SetupWithManager(ctx context.Context, mgr manager.Manager, s *Store) error {
	seen, err := newSeen(s)
	if err != nil {
		return err
	}
	r := &rotator.CertRotator{
		SecretKey:              s.key,
		CertDir:                seen.dir,
		CAName:                 authority,
		CAOrganization:         organization,
		DNSName:                o.DNSNames[0],
		ExtraDNSNames:          o.DNSNames[1:],
		IsReady:                make(chan struct{}), // nobody waits: the Store knows when there is a certificate
		FieldOwner:             fieldOwner,
		ControllerName:         o.Name,
		CaCertDuration:         o.Authority,
		ServerCertDuration:     o.Server,
		LookaheadInterval:      o.Renew,
		RotationCheckFrequency: o.Check,
	}
	for _, name := range o.Configurations {
		r.Webhooks = append(r.Webhooks, rotator.WebhookInfo{Name: name, Type: rotator.Validating})
	}
	if err := rotator.AddRotator(mgr, r); err != nil { // which also sets the defaults
		return fmt.Errorf("set up the rotator of certificates: %w", err)
	}
	maker := newMaker(s, r)
	if err := maker.create(ctx); err != nil {
		return err
	}
	for _, runnable := range []manager.Runnable{seen, maker} {
		if err := mgr.Add(runnable); err != nil {
			return fmt.Errorf("add to the manager: %w", err)
		}
	}
	return nil
}

// seen is a folder that tells the rotator that the server has its certificate. The rotator is made for Secrets that
// are mounted, looks for tls.crt, and ends after a quarter of an hour without. The file is what is served; no key is
// written.
type seen struct {
	dir   string
	store *Store
}

func newSeen(s *Store) (*seen, error) {
	dir, err := os.MkdirTemp("", "k1s-webhook-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the webhook server's certificate: %w", err)
	}
	f := &seen{dir: dir, store: s}
	s.loaded = append(s.loaded, f.write)
	return f, nil
}

func (f *seen) write(certificate []byte) {
	if err := os.WriteFile(filepath.Join(f.dir, corev1.TLSCertKey), certificate, 0o600); err != nil {
		f.store.log.Error(err, "Cannot tell the rotator of the webhook server's certificate")
	}
}

// NeedLeaderElection is false, as for the rotator.
func (f *seen) NeedLeaderElection() bool { return false }

// Start removes the folder when the context ends.
func (f *seen) Start(ctx context.Context) error {
	<-ctx.Done()
	if err := os.RemoveAll(f.dir); err != nil {
		return fmt.Errorf("remove the folder of the webhook server's certificate: %w", err)
	}
	return nil
}
