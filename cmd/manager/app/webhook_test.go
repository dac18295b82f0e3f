// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestOptions_validate_webhooks(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Options)
		want   string // the beginning of the error; empty means no error
	}{
		"as they are":         {func(*Options) {}, ""},
		"off, whatever else":  {func(o *Options) { o.WebhookAddress, o.WebhookCerts, o.WebhookURL = "0", "x", "x" }, ""},
		"loopback":            {func(o *Options) { o.WebhookAddress = "[::1]:9443" }, ""},
		"no address":          {func(o *Options) { o.WebhookAddress = "" }, "--webhook-bind-address"},
		"a port alone":        {func(o *Options) { o.WebhookAddress = "9443" }, "--webhook-bind-address"},
		"any port":            {func(o *Options) { o.WebhookAddress = ":0" }, "--webhook-bind-address"},
		"no such port":        {func(o *Options) { o.WebhookAddress = ":65536" }, "--webhook-bind-address"},
		"a port by its name":  {func(o *Options) { o.WebhookAddress = ":https" }, "--webhook-bind-address"},
		"no Service":          {func(o *Options) { o.WebhookService = "" }, "--webhook-service"},
		"a Service's address": {func(o *Options) { o.WebhookService = "a.b" }, "--webhook-service"},
		"no Secret":           {func(o *Options) { o.WebhookCertSecret = "A" }, "--webhook-cert-secret"},
		"nobody's":            {func(o *Options) { o.WebhookCerts = "cert-manager" }, "--webhook-certs"},
		"somebody's":          {func(o *Options) { o.WebhookCerts = WebhookCertsSecret }, ""},
		"an owner":            {func(o *Options) { o.WebhookOwner = "clusterrole/k1s-manager" }, ""},
		"an owner of no name": {func(o *Options) { o.WebhookOwner = "clusterrole/" }, "--webhook-owner"},
		"another owner":       {func(o *Options) { o.WebhookOwner = "namespace/k1s-system" }, "--webhook-owner"},
		"a URL":               {func(o *Options) { o.WebhookURL = "https://localhost:9443/k1s" }, ""},
		"a URL without TLS":   {func(o *Options) { o.WebhookURL = "http://localhost:9443" }, "--webhook-url"},
		"a URL of no host":    {func(o *Options) { o.WebhookURL = "https://:9443" }, "--webhook-url"},
		"a URL with a query":  {func(o *Options) { o.WebhookURL = "https://localhost/?a=b" }, "--webhook-url"},
		"a URL with a user":   {func(o *Options) { o.WebhookURL = "https://a:b@localhost" }, "--webhook-url"},
		"no URL":              {func(o *Options) { o.WebhookURL = "https://%" }, "--webhook-url"},
		"an address":          {func(o *Options) { o.WebhookURL = "https://[::1]:9443" }, "--webhook-url"},
		"an address that somebody vouches for": {func(o *Options) {
			o.WebhookURL, o.WebhookCerts = "https://127.0.0.1:9443", WebhookCertsSecret
		}, ""},
	} {
		o := DefaultOptions()
		tc.change(&o)
		err := o.validate()
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestOptions_webhookNames(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	o.Namespace = "ns"
	service := []string{"k1s-webhook.ns.svc", "k1s-webhook.ns.svc.cluster.local", "k1s-webhook.ns"}
	if diff := cmp.Diff(service, o.webhookNames()); diff != "" {
		t.Errorf("in a cluster, -want +got:\n%s", diff)
	}
	o.WebhookURL = "https://k1s.example:9443"
	if diff := cmp.Diff(append([]string{"k1s.example"}, service...), o.webhookNames()); diff != "" {
		t.Errorf("outside, -want +got:\n%s", diff)
	}
}

// TestWebhooks_ownerReference finds the owner with only the permission to list ClusterRoles.
func TestWebhooks_ownerReference(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	limited := env.Limited(t, rbacv1.PolicyRule{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles"}, Verbs: []string{"list"}})
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{GenerateName: "owner-"}}
	env.Create(t, role)
	w := &webhooks{reader: limited.Client}
	if got, err := w.ownerReference(t.Context()); got != nil || err != nil {
		t.Errorf("without a name: %v, %v", got, err)
	}
	w.owner = role.Name
	got, err := w.ownerReference(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &metav1.OwnerReference{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole", Name: role.Name, UID: role.UID}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	w.owner = "missing"
	if got, err := w.ownerReference(t.Context()); err == nil || !strings.Contains(err.Error(), `"missing"`) {
		t.Errorf("of no role: %v, %v", got, err)
	}
}
