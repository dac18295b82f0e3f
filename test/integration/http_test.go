// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/access/audit"
)

// TestWasmPlugin_http_denied checks that a plugin does not reach a host that its spec does not list, or that the
// operator denies, and that the audit log records each request.
func TestWasmPlugin_http_denied(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server on loopback was reached") }))
	t.Cleanup(server.Close)
	loopback := strings.TrimPrefix(server.URL, "http://")
	log := filepath.Join(t.TempDir(), "audit.log")
	o := startOperator(t, func(options *app.Options) {
		options.AuditLog, options.DeniedCIDRs = log, "192.0.2.0/24,2001:db8::/32"
	})
	cases := map[string]struct {
		hosts       []string
		url, host   string
		layer, want string
	}{
		"no-hosts":      {nil, "https://api.example.com/?token=secret", "api.example.com:443", "allowlist", `security.allowedHosts does not have "api.example.com"`},
		"another-host":  {[]string{"*.example.org"}, "https://api.example.com/?token=secret", "api.example.com:443", "allowlist", `security.allowedHosts does not have "api.example.com"`},
		"loopback":      {[]string{loopback}, server.URL + "/?token=secret", loopback, "address", "it has an address that plugins cannot reach"},
		"denied":        {[]string{"192.0.2.1"}, "http://192.0.2.1/?token=secret", "192.0.2.1:80", "address", "it has an address that plugins cannot reach"},
		"denied-mapped": {[]string{"[::ffff:c000:201]"}, "http://[::ffff:192.0.2.1]/", "[::ffff:192.0.2.1]:80", "address", "it has an address that plugins cannot reach"},
	}
	tenants := map[string]tenant{}
	for name, tc := range cases {
		n := newTenant(t, o.env, rule("categories", "list", "watch"))
		tenants[name] = n
		n.Store(t, "sender", localFixture(t, "sender.wasm"))
		n.Plugin(t, "sender", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Security.AllowedHosts = tc.hosts
			s.Settings = &runtime.RawExtension{Raw: fmt.Appendf(nil, `{"url":%q}`, tc.url)}
		})
		n.category(t, "tools")
	}
	for name, tc := range cases {
		tenants[name].ExpectReady(t, "sender")
		tenants[name].expectEvent(t, "sender", "ReconcileFailed", "answered Forbidden: "+tc.layer+": cannot GET", tc.want)
	}
	o.end(t) // which flushes the audit log
	recorded := map[string]audit.Record{}
	for _, r := range readAudit(t, log) {
		recorded[r.Plugin] = r
	}
	for name, tc := range cases {
		r := recorded[tenants[name].NS+"/sender"]
		if r.Verb != http.MethodGet || r.Host != tc.host || r.Decision != audit.DecisionDenied || r.Layer != tc.layer || r.Status != 0 {
			t.Errorf("%s: recorded %+v", name, r)
		}
	}
}
