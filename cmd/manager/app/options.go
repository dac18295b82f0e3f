// SPDX-License-Identifier: Apache-2.0

// Package app wires the operator together: the one place that knows the controllers and the engine.
package app

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/k1s-io/k1s/internal/controller/wasmplugin"
	"github.com/k1s-io/k1s/internal/source"
	"github.com/k1s-io/k1s/internal/wasm"
)

// Options configure the operator.
type Options struct {
	// MetricsAddress is where metrics are served; "0" serves none.
	MetricsAddress string
	// SecureMetrics serves metrics over HTTPS, to those who may get them only.
	SecureMetrics bool
	// ProbeAddress is where /healthz and /readyz are served; "0" serves none.
	ProbeAddress string
	// LeaderElection lets one of several replicas work at a time.
	LeaderElection bool
	// Namespace is where the leader's Lease and the WasmPlugins of the plugin directory live.
	Namespace string
	// PluginDir holds plugins that come from files.
	PluginDir string
	// CacheDir keeps compiled modules; empty keeps them in memory only.
	CacheDir string
	// MaxCacheBytes bounds what is kept in CacheDir.
	MaxCacheBytes int64
	// MaxModuleBytes bounds an uncompressed module.
	MaxModuleBytes int64
	// Compiler is the program in whose processes modules are compiled; see wasm.Options.
	Compiler string
	Limits   Limits
	// ParallelCompiles is how many modules are compiled at once.
	ParallelCompiles int
	// CheckServiceAccountUse refuses WasmPlugins of users who may neither use nor impersonate the ServiceAccount named.
	CheckServiceAccountUse bool
	// DirectoryPluginsWithoutRBAC lets plugins of PluginDir act as the operator itself, without asking RBAC.
	DirectoryPluginsWithoutRBAC bool
	// AuditLog is where records of what plugins change and are refused go: a file, "-" for standard output,
	// or nowhere if it is empty.
	AuditLog string
	// DeniedCIDRs are addresses that no plugin sends HTTP requests to, beside those that are always refused: a
	// list with commas.
	DeniedCIDRs string
	// HTTPCAFile has root certificates in PEM, beside the system's, for the HTTP requests of plugins.
	HTTPCAFile string
	// WebhookAddress is where the API server's requests about objects are answered; "0" answers none.
	WebhookAddress string
	// WebhookService is the Service, in Namespace, by which the API server finds WebhookAddress.
	WebhookService string
	// WebhookURL is where it finds it instead: for an operator outside of the cluster.
	WebhookURL string
	// WebhookCertSecret is the Secret, in Namespace, with the certificate for it: tls.crt, tls.key and ca.crt.
	WebhookCertSecret string
	// WebhookCerts says who fills that Secret.
	WebhookCerts WebhookCerts
	// WebhookOwner is what webhook configurations of plugins belong to, "clusterrole/NAME": they go when it goes.
	WebhookOwner string
	// Registerer gets the operator's own metrics; what is not in controller-runtime's registry is not served.
	Registerer prometheus.Registerer
	// SkipNameValidation lets several operators run in one process, one after another; for tests.
	SkipNameValidation bool
	// RateClock is the clock by which the requests of guests are counted; nil is real time. For tests.
	RateClock clock.PassiveClock
	// Timing is how long plugins wait for what no event tells; for tests.
	Timing wasmplugin.Timing
}

// DefaultOptions are those of a Pod without flags.
func DefaultOptions() Options {
	return Options{
		MetricsAddress:    ":8443",
		SecureMetrics:     true,
		ProbeAddress:      ":8081",
		Namespace:         podNamespace(),
		PluginDir:         "./plugins",
		CacheDir:          defaultCacheDir(),
		MaxCacheBytes:     wasm.DefaultMaxCacheBytes,
		MaxModuleBytes:    source.DefaultMaxBytes,
		ParallelCompiles:  2,
		Limits:            defaultLimits(),
		WebhookAddress:    ":9443",
		WebhookService:    "k1s-webhook",
		WebhookCertSecret: "k1s-webhook-cert",
		WebhookCerts:      WebhookCertsSelf,
		Registerer:        metrics.Registry,
	}
}

// AddFlags adds a flag for each option.
func (o *Options) AddFlags(f *flag.FlagSet) {
	f.StringVar(&o.MetricsAddress, "metrics-bind-address", o.MetricsAddress, `address of the metrics endpoint; "0" disables it`)
	f.BoolVar(&o.SecureMetrics, "metrics-secure", o.SecureMetrics, "serve metrics over HTTPS, and only to users with the verb get on the URL /metrics")
	f.StringVar(&o.ProbeAddress, "health-probe-bind-address", o.ProbeAddress, `address of /healthz and /readyz; "0" disables them`)
	f.BoolVar(&o.LeaderElection, "leader-elect", o.LeaderElection, "enable leader election: required with more than one replica")
	f.StringVar(&o.Namespace, "namespace", o.Namespace, "namespace of the leader election Lease and of the WasmPlugins of --plugin-dir")
	f.StringVar(&o.PluginDir, "plugin-dir", o.PluginDir, "directory of plugins: *.wasm, *-plugin.yaml, wasm-plugins.yaml; it may be missing")
	f.BoolVar(&o.CheckServiceAccountUse, "check-service-account-use", o.CheckServiceAccountUse,
		"let only those users create and change a WasmPlugin who have the verb use or impersonate on its ServiceAccount; needs webhooks")
	f.BoolVar(&o.DirectoryPluginsWithoutRBAC, "directory-plugins-without-rbac", o.DirectoryPluginsWithoutRBAC,
		"let the plugins of --plugin-dir act as the operator itself, without a ServiceAccount and without asking RBAC; their allowlists, rates and the audit log remain")
	f.StringVar(&o.CacheDir, "cache-dir", o.CacheDir, "directory of compiled modules, which only the operator may write; empty means that modules are compiled after every start")
	f.Int64Var(&o.MaxCacheBytes, "max-cache-bytes", o.MaxCacheBytes, "maximum size of --cache-dir; the least recently used modules are removed first")
	f.Int64Var(&o.MaxModuleBytes, "max-module-bytes", o.MaxModuleBytes, "maximum size of an uncompressed module")
	o.Limits.addFlags(f)
	f.IntVar(&o.ParallelCompiles, "parallel-compiles", o.ParallelCompiles, "maximum number of modules that are compiled concurrently")
	f.StringVar(&o.AuditLog, "audit-log", o.AuditLog, `file of the audit log, which records the plugins' write requests and denied requests; "-" means standard output, empty disables it`)
	f.StringVar(&o.DeniedCIDRs, "denied-cidrs", o.DeniedCIDRs, "addresses to which plugins may not send HTTP requests, besides loopback, link-local and metadata addresses, such as the cluster's Service range: 10.96.0.0/12,fd00:1::/108")
	f.StringVar(&o.HTTPCAFile, "http-ca-file", o.HTTPCAFile, "file of root certificates (PEM) for plugins' HTTP requests, besides those of the system")
	f.StringVar(&o.WebhookAddress, "webhook-bind-address", o.WebhookAddress, `address of the webhook server; "0" disables it, and plugins with webhooks are not authorized`)
	f.StringVar(&o.WebhookService, "webhook-service", o.WebhookService, "Service in --namespace through which the API server reaches --webhook-bind-address")
	f.StringVar(&o.WebhookURL, "webhook-url", o.WebhookURL, "URL at which the API server reaches it instead, for an operator outside of the cluster: https://localhost:9443")
	f.StringVar(&o.WebhookCertSecret, "webhook-cert-secret", o.WebhookCertSecret, "Secret in --namespace with the webhook server's certificate: tls.crt, tls.key and ca.crt")
	f.StringVar((*string)(&o.WebhookCerts), "webhook-certs", string(o.WebhookCerts), `source of the certificate in --webhook-cert-secret: "self" (the operator issues it) or "secret" (something else does, such as cert-manager)`)
	f.StringVar(&o.WebhookOwner, "webhook-owner", o.WebhookOwner, "owner of the plugins' webhook configurations, with which they are deleted: clusterrole/NAME; empty means no owner")
}

// validate names the flag that is wrong.
func (o *Options) validate() error {
	var errs []error
	if problems := validation.IsDNS1123Label(o.Namespace); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("--namespace %q: %s", o.Namespace, problems[0]))
	}
	if o.PluginDir == "" {
		errs = append(errs, errors.New("--plugin-dir is empty: name a directory; it need not exist"))
	}
	if o.MaxModuleBytes <= 0 {
		errs = append(errs, fmt.Errorf("--max-module-bytes %d: want more than 0", o.MaxModuleBytes))
	}
	if o.MaxCacheBytes <= 0 {
		errs = append(errs, fmt.Errorf("--max-cache-bytes %d: want more than 0; an empty --cache-dir keeps nothing", o.MaxCacheBytes))
	}
	errs = append(errs, o.Limits.validate())
	if o.ParallelCompiles <= 0 {
		errs = append(errs, fmt.Errorf("--parallel-compiles %d: want more than 0", o.ParallelCompiles))
	}
	return errors.Join(append(errs, o.validateWebhooks()...)...)
}

// podNamespace is where the Pod runs, or where it usually would.
func podNamespace() string {
	if ns := os.Getenv("POD_NAMESPACE"); ns != "" {
		return ns
	}
	return "k1s-system"
}

func defaultCacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "" // no home: compiled modules stay in memory
	}
	return filepath.Join(dir, "k1s", "compiled")
}
