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
	// fieldOwner is the field manager of the CA certificate in webhook configurations.
	fieldOwner = "k1s-webhook-ca"
)

// The rotator's own cache holds all Secrets of the namespace and all ValidatingWebhookConfigurations.
// +kubebuilder:rbac:groups="",resources=secrets,verbs=create;list;watch,namespace=k1s-system
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations,verbs=list;watch
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations,resourceNames=k1s,verbs=update

// SelfSigned creates a Store's Secret with a self-signed CA and a certificate of it, and renews both in time.
type SelfSigned struct {
	// DNSNames are the DNS names of the certificate, which is renewed if it lacks the first one. IP addresses are not
	// possible.
	DNSNames []string
	// Configurations are the names of ValidatingWebhookConfigurations that get the CA certificate.
	Configurations []string
	// Name is the name of the controller, which must be unique in a process. If it is empty, the name is
	// "cert-rotator".
	Name string
	// Authority and Server are the lifetimes of the certificates of the CA and of the server. They are renewed when the
	// remaining lifetime is below Renew, which is checked every Check, and when the Secret changes. The defaults are 10
	// years, 1 year, 90 days and 12 hours.
	Authority, Server, Renew, Check time.Duration
}

// SetupWithManager makes the manager maintain a Store's Secret. It creates the Secret first, because the rotator fails
// without it, and returns when the Secret exists or cannot be created. All replicas maintain the Secret, not only the
// leader. Otherwise a rollout could wait forever: the new Pod would wait for a certificate, while the old Pod, which is
// the leader and may not know about certificates, would wait for the new Pod to become ready.
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
		IsReady:                make(chan struct{}), // not used: the Store knows when there is a certificate
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
	if err := rotator.AddRotator(rotatorManager{mgr}, r); err != nil { // also sets the defaults
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

// seen is a directory that shows the rotator that the server has its certificate. The rotator expects a mounted Secret:
// it waits for the file tls.crt, and exits after 15 minutes without it. The file has the certificate that is served. No
// key is written.
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

// NeedLeaderElection implements manager.LeaderElectionRunnable, as for the rotator.
func (f *seen) NeedLeaderElection() bool { return false }

// Start removes the directory when the context is canceled.
func (f *seen) Start(ctx context.Context) error {
	<-ctx.Done()
	if err := os.RemoveAll(f.dir); err != nil {
		return fmt.Errorf("remove the folder of the webhook server's certificate: %w", err)
	}
	return nil
}
