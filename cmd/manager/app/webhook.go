// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/admission/certs"
	"github.com/k1s-io/k1s/internal/admission/wasmplugin"
	"github.com/k1s-io/k1s/internal/plugin"
)

// off is the address that disables the webhook server.
const off = "0"

// WebhookCerts is the source of the webhook server's certificate. It is the value of --webhook-certs.
type WebhookCerts string

const (
	// WebhookCertsSelf means that the operator issues a self-signed certificate.
	WebhookCertsSelf WebhookCerts = "self"
	// WebhookCertsSecret means that another component, such as cert-manager, fills the Secret.
	WebhookCertsSecret WebhookCerts = "secret"
)

// webhookConfiguration is the name of the ValidatingWebhookConfiguration for WasmPlugins, which is installed with the
// operator.
const webhookConfiguration = "k1s"

// ownerKind is the prefix of --webhook-owner.
const ownerKind = "clusterrole/"

// webhooks holds the operator's webhook server.
type webhooks struct {
	server webhook.Server
	certs  *certs.Store
	// marks identify the plugins' own writes. All replicas have the certificate's private key, and nobody else has it.
	marks *ownwrite.Marks
	// service and url tell the API server how to reach the webhook server. The URL takes precedence.
	service types.NamespacedName
	url     string
	// owner is the name of the ClusterRole that owns the webhook configurations. It may be empty.
	owner  string
	reader client.Reader
}

// setUpWebhooks adds the webhook server and its certificate to the manager. It returns nil if webhooks are disabled.
func setUpWebhooks(ctx context.Context, mgr manager.Manager, o Options) (*webhooks, error) {
	if o.WebhookAddress == off {
		return nil, nil //nolint:nilnil // there are none, and that is no error
	}
	key := types.NamespacedName{Namespace: o.Namespace, Name: o.WebhookCertSecret}
	store, err := certs.NewStore(mgr.GetConfig(), mgr.GetHTTPClient(), key, mgr.GetLogger().WithName("webhook-cert"))
	if err != nil {
		return nil, err
	}
	if o.WebhookCerts == WebhookCertsSelf {
		made := certs.SelfSigned{DNSNames: o.webhookNames()}
		if o.WebhookURL == "" { // no configuration is installed outside of a cluster
			made.Configuration = webhookConfiguration
		}
		if err := made.SetupWithManager(ctx, mgr, store); err != nil {
			return nil, fmt.Errorf("%w (--webhook-bind-address=0 turns webhooks off)", err)
		}
	}
	server, err := newWebhookServer(o.WebhookAddress, store)
	if err != nil {
		return nil, err
	}
	for _, runnable := range []manager.Runnable{store, server} {
		if err := mgr.Add(runnable); err != nil {
			return nil, fmt.Errorf("add to the manager: %w", err)
		}
	}
	serves := server.StartedChecker()
	err = mgr.AddReadyzCheck("webhooks", func(req *http.Request) error {
		return errors.Join(store.Check(req), serves(req))
	})
	if err != nil {
		return nil, fmt.Errorf("add a readiness check: %w", err)
	}
	marks := ownwrite.New(func() (*tls.Certificate, error) { return store.GetCertificate(nil) }, clock.RealClock{})
	return &webhooks{
		server: server, certs: store, marks: marks,
		service: types.NamespacedName{Namespace: o.Namespace, Name: o.WebhookService}, url: strings.TrimSuffix(o.WebhookURL, "/"),
		owner: strings.TrimPrefix(o.WebhookOwner, ownerKind), reader: mgr.GetAPIReader(),
	}, nil
}

// serveWasmPlugins registers the webhook for WasmPlugins with the webhook server.
func (w *webhooks) serveWasmPlugins(mgr manager.Manager, o Options, known *plugin.Described) error {
	reviews, err := authorizationv1client.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("make a client for access reviews: %w", err)
	}
	wasmplugin.Register(w.server, mgr.GetScheme(), wasmplugin.Options{
		Known: known, CheckServiceAccountUse: o.CheckServiceAccountUse,
		Reviews: reviews.SubjectAccessReviews(), Operator: rbac.NewOperator(mgr.GetConfig()),
	})
	return nil
}

// newWebhookServer returns a server without handlers. Register adds them, also after the manager has started.
func newWebhookServer(address string, store *certs.Store) (webhook.Server, error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	return webhook.NewServer(webhook.Options{
		Host: host, Port: port,
		TLSOpts: []func(*tls.Config){func(c *tls.Config) {
			c.MinVersion = tls.VersionTLS12
			c.GetCertificate = store.GetCertificate
		}},
	}), nil
}

// ownerReference returns an owner reference to the ClusterRole that --webhook-owner names. When the operator is
// uninstalled, its webhook configurations must be garbage-collected, because nothing would answer their requests.
// Without the flag it returns nil.
func (w *webhooks) ownerReference(ctx context.Context) (*metav1.OwnerReference, error) {
	if w.owner == "" {
		return nil, nil //nolint:nilnil // no owner is what was asked for
	}
	kind := rbacv1.SchemeGroupVersion.WithKind("ClusterRole")
	found := &metav1.PartialObjectMetadataList{}
	found.SetGroupVersionKind(kind)
	// List is used because the operator has the permission to list ClusterRoles, for checking the permissions of
	// plugins.
	if err := w.reader.List(ctx, found, client.MatchingFields{metav1.ObjectNameField: w.owner}); err != nil {
		return nil, fmt.Errorf("find the ClusterRole of --webhook-owner: %w", err)
	}
	if len(found.Items) == 0 {
		return nil, fmt.Errorf("--webhook-owner: there is no ClusterRole %q", w.owner)
	}
	return &metav1.OwnerReference{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Name: w.owner, UID: found.Items[0].UID}, nil
}

// webhookNames returns the DNS names for the certificate that the operator issues. The first one is the name that the
// API server uses.
func (o *Options) webhookNames() []string {
	names := []string{
		o.WebhookService + "." + o.Namespace + ".svc",
		o.WebhookService + "." + o.Namespace + ".svc.cluster.local",
		o.WebhookService + "." + o.Namespace,
	}
	if u, err := url.Parse(o.WebhookURL); err == nil && u.Hostname() != "" {
		names = append([]string{u.Hostname()}, names...)
	}
	return names
}

// validateWebhooks returns errors that name the invalid flags.
func (o *Options) validateWebhooks() []error {
	if o.WebhookAddress == off && o.CheckServiceAccountUse {
		return []error{errors.New("--check-service-account-use needs webhooks, and --webhook-bind-address=0 turns them off")}
	}
	if o.WebhookAddress == off {
		return nil
	}
	var errs []error
	if _, _, err := splitAddress(o.WebhookAddress); err != nil {
		errs = append(errs, err)
	}
	if problems := validation.IsDNS1035Label(o.WebhookService); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("--webhook-service %q: %s", o.WebhookService, problems[0]))
	}
	if problems := validation.IsDNS1123Subdomain(o.WebhookCertSecret); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("--webhook-cert-secret %q: %s", o.WebhookCertSecret, problems[0]))
	}
	if o.WebhookCerts != WebhookCertsSelf && o.WebhookCerts != WebhookCertsSecret {
		errs = append(errs, fmt.Errorf("--webhook-certs %q: want %q or %q", o.WebhookCerts, WebhookCertsSelf, WebhookCertsSecret))
	}
	if name, ok := strings.CutPrefix(o.WebhookOwner, ownerKind); o.WebhookOwner != "" && (!ok || name == "") {
		errs = append(errs, fmt.Errorf("--webhook-owner %q: want %sNAME", o.WebhookOwner, ownerKind))
	}
	if err := o.validateWebhookURL(); err != nil {
		errs = append(errs, fmt.Errorf("--webhook-url %q: %w", o.WebhookURL, err))
	}
	return errs
}

// validateWebhookURL rejects a URL that the API server would not accept.
func (o *Options) validateWebhookURL() error {
	if o.WebhookURL == "" {
		return nil
	}
	u, err := url.Parse(o.WebhookURL)
	switch {
	case err != nil:
		return errors.New("it is not a URL")
	case u.Scheme != "https" || u.Hostname() == "":
		return errors.New("want https://HOST[:PORT]")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("want neither a user nor a query nor a fragment")
	case o.WebhookCerts == WebhookCertsSelf && net.ParseIP(u.Hostname()) != nil:
		return errors.New("certificates of the operator's making are for names, not addresses: try localhost, or another --webhook-certs")
	}
	return nil
}

// splitAddress splits --webhook-bind-address into host and port.
func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("--webhook-bind-address %q: want [HOST]:PORT, or 0 for no webhooks", address)
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return "", 0, fmt.Errorf("--webhook-bind-address %q: want a port from 1 to 65535", address)
	}
	return host, int(number), nil
}
