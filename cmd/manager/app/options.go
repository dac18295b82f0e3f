// SPDX-License-Identifier: Apache-2.0

// Package app implements the composition of the operator: the one package that imports both the controllers and the
// engine.
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
	// MetricsAddress is the address of the metrics endpoint. "0" disables it.
	MetricsAddress string
	// SecureMetrics serves metrics over HTTPS, and only to users who are authorized to get them.
	SecureMetrics bool
	// ProbeAddress is the address of /healthz and /readyz. "0" disables them.
	ProbeAddress string
	// LeaderElection enables leader election, so that only one of several replicas is active.
	LeaderElection bool
	// Namespace is the namespace of the leader's Lease and of the WasmPlugins of the plugin directory.
	Namespace string
	// PluginDir is the plugin directory.
	PluginDir string
	// CacheDir is the directory for compiled modules. If it is empty, they are kept only in memory.
	CacheDir string
	// MaxCacheBytes is the maximum size of CacheDir.
	MaxCacheBytes int64
	// MaxModuleBytes is the maximum size of an uncompressed module.
	MaxModuleBytes int64
	// Compiler is the program that compiles modules in separate processes. See wasm.Options.
	Compiler string
	Limits   Limits
	// ParallelCompiles is the number of modules that are compiled concurrently.
	ParallelCompiles int
	// CheckServiceAccountUse denies WasmPlugins of users who are allowed neither to use nor to impersonate the named
	// ServiceAccount.
	CheckServiceAccountUse bool
	// DirectoryPluginsWithoutRBAC lets plugins of PluginDir act with the identity of the operator, without RBAC checks.
	DirectoryPluginsWithoutRBAC bool
	// AuditLog is where writes and denied requests of plugins are recorded: a file, or "-" for standard output. If it
	// is empty, they are not recorded.
	AuditLog string
	// DeniedCIDRs is a comma-separated list of addresses to which no plugin can send HTTP requests, in addition to
	// those that are always denied.
	DeniedCIDRs string
	// HTTPCAFile is a file of root certificates in PEM, in addition to the system's, for the HTTP requests of plugins.
	HTTPCAFile string
	// Registries configure where modules are pulled from.
	Registries RegistryOptions
	// WebhookAddress is the address of the webhook server. "0" disables it.
	WebhookAddress string
	// WebhookService is the Service, in Namespace, through which the API server reaches WebhookAddress.
	WebhookService string
	// WebhookURL is the URL through which the API server reaches it instead, for an operator outside of the cluster.
	WebhookURL string
	// WebhookCertSecret is the Secret, in Namespace, with the certificate of the webhook server: tls.crt, tls.key and
	// ca.crt.
	WebhookCertSecret string
	// WebhookCerts is the source of the certificate in that Secret.
	WebhookCerts WebhookCerts
	// WebhookOwner is the owner of the webhook configurations of plugins, "clusterrole/NAME". They are
	// garbage-collected with it.
	WebhookOwner string
	// Registerer registers the operator's own metrics. Only metrics in controller-runtime's registry are served.
	Registerer prometheus.Registerer
	// SkipNameValidation allows several operators in one process, one after another. It is for tests.
	SkipNameValidation bool
	// RateClock is the clock of the rate limits for guests' requests. Nil means real time. It is for tests.
	RateClock clock.PassiveClock
	// Timing has the durations that the WasmPlugin controller waits where no event notifies it. It is for tests.
	Timing wasmplugin.Timing
}

// DefaultOptions returns the options of a Pod without flags.
func DefaultOptions() Options {
	return Options{ //nolint:gosec // it finds a password in the name of a Secret
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
	o.Registries.addFlags(f)
	f.StringVar(&o.WebhookAddress, "webhook-bind-address", o.WebhookAddress, `address of the webhook server; "0" disables it, and plugins with webhooks are not authorized`)
	f.StringVar(&o.WebhookService, "webhook-service", o.WebhookService, "Service in --namespace through which the API server reaches --webhook-bind-address")
	f.StringVar(&o.WebhookURL, "webhook-url", o.WebhookURL, "URL at which the API server reaches it instead, for an operator outside of the cluster: https://localhost:9443")
	f.StringVar(&o.WebhookCertSecret, "webhook-cert-secret", o.WebhookCertSecret, "Secret in --namespace with the webhook server's certificate: tls.crt, tls.key and ca.crt")
	f.StringVar((*string)(&o.WebhookCerts), "webhook-certs", string(o.WebhookCerts), `source of the certificate in --webhook-cert-secret: "self" (the operator issues it) or "secret" (something else does, such as cert-manager)`)
	f.StringVar(&o.WebhookOwner, "webhook-owner", o.WebhookOwner, "owner of the plugins' webhook configurations, with which they are deleted: clusterrole/NAME; empty means no owner")
}

// validate returns an error that names the invalid flags.
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

// podNamespace returns the namespace of the Pod, or the default one if it is unknown.
func podNamespace() string {
	if ns := os.Getenv("POD_NAMESPACE"); ns != "" {
		return ns
	}
	return "k1s-system"
}

func defaultCacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "" // no home directory: compiled modules stay in memory
	}
	return filepath.Join(dir, "k1s", "compiled")
}
