// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// The defaults of spec.runtime and spec.security, for objects that the API server has not defaulted: it sets no
// defaults inside an absent object.
const (
	defaultMaxMemoryPages        = 1024
	defaultTimeoutSeconds        = 5
	defaultMaxInstances          = 4
	defaultIdleSeconds           = 60
	defaultMaxConcurrentRequests = 10
	defaultServiceAccount        = "default"
)

// plan is the combination of a spec and a module's metadata.
type plan struct {
	metadata     plugin.Metadata
	capabilities []plugin.Capability
	// targets are the kinds that the plugin is for.
	targets []watch.Target
	// watch has no targets if the plugin receives no events.
	watch watch.Spec
	// admission configures the plugin's webhooks, if it has any.
	admission admissionPlan
	// settings include the values from Secrets once they are read; redact removes these values from messages.
	settings json.RawMessage
	redact   *plugin.Redactor
	// secret are the names of the settings from Secrets.
	secret    []string
	limits    plugin.Limits
	identity  access.Identity
	allowlist access.Allowlist
	// maxConcurrentRequests limits the plugin's requests to the cluster.
	maxConcurrentRequests int
	// requestsPerSecond and burst limit the rate of these requests; 0 means no limit.
	requestsPerSecond, burst int
}

// limitsOf returns the limits in spec.runtime of a plugin in a namespace.
func limitsOf(rt pluginsv1alpha1.Runtime, namespace string) plugin.Limits {
	return plugin.Limits{
		Namespace:      namespace,
		MinMemoryPages: uint32(rt.MemoryPages),
		Fuel:           uint64(rt.Fuel),
		InstancePolicy: cmp.Or(rt.InstancePolicy, plugin.InstancePooled),
		MaxMemoryPages: uint32(orDefault(rt.MaxMemoryPages, defaultMaxMemoryPages)),
		CallTimeout:    time.Duration(orDefault(rt.TimeoutSeconds, defaultTimeoutSeconds)) * time.Second,
		MaxInstances:   int(orDefault(rt.MaxInstances, defaultMaxInstances)),
		IdleTimeout:    time.Duration(ptr.Deref(rt.IdleSeconds, defaultIdleSeconds)) * time.Second,
	}
}

func orDefault(value, fallback int32) int32 {
	if value == 0 {
		return fallback
	}
	return value
}

// newPlan combines a spec and metadata. Errors are *plugin.LoadError.
func newPlan(wp *pluginsv1alpha1.WasmPlugin, metadata plugin.Metadata) (plan, error) {
	spec := wp.Spec
	p := plan{
		metadata: metadata,
		settings: json.RawMessage("{}"),
		limits:   limitsOf(spec.Runtime, wp.Namespace),
		identity: access.Identity{
			Namespace: wp.Namespace, Plugin: wp.Name,
			ServiceAccount: cmp.Or(spec.ServiceAccountName, defaultServiceAccount),
		},
		allowlist:             access.NewAllowlist(spec.Security, wp.Namespace),
		maxConcurrentRequests: int(orDefault(spec.Security.MaxConcurrentRequests, defaultMaxConcurrentRequests)),
		requestsPerSecond:     int(spec.Security.RequestsPerSecond),
		burst:                 int(orDefault(spec.Security.Burst, 2*spec.Security.RequestsPerSecond)),
	}
	if spec.Settings != nil && len(spec.Settings.Raw) > 0 {
		p.settings = spec.Settings.Raw
	}
	var err error
	if p.capabilities, err = plugin.ResolveCapabilities(spec.Capabilities, metadata.Capabilities); err != nil {
		return plan{}, err
	}
	targets, err := plugin.ResolveTypes(spec.ForTypes, metadata.ForTypes)
	if err != nil {
		return plan{}, err
	}
	for _, t := range targets {
		p.targets = append(p.targets, watch.Target(t))
	}
	owns, err := plugin.ParseOwns(spec.Owns)
	if err != nil {
		return plan{}, err
	}
	if p.receivesEvents() {
		p.watch = watch.Spec{
			Targets: p.targets, Owns: owns, Namespaces: p.allowlist.Namespaces,
			MaxConcurrentReconciles: workers(p.limits.MaxInstances, metadata.MaxBatch),
		}
	}
	if p.has(plugin.CapabilityFinalization) {
		p.watch.Finalizer = pluginsv1alpha1.FinalizerOf(wp.Namespace, wp.Name)
	}
	p.admission, err = planAdmission(spec.Admission)
	return p, err
}

// receivesEvents reports whether the plugin receives events of objects.
func (p plan) receivesEvents() bool {
	return p.has(plugin.CapabilityReconcile) || p.has(plugin.CapabilityFinalization)
}

func (p plan) has(c plugin.Capability) bool { return slices.Contains(p.capabilities, c) }

// maxWorkers limits the workers of a plugin that takes batches: each costs a goroutine.
const maxWorkers = 256

// workers returns how many requests of a plugin are processed at once. More workers than instances would only wait for
// each other, unless waiting requests are joined into a batch.
func workers(instances, batch int) int {
	if batch < 2 {
		return instances
	}
	return max(instances, min(instances*batch, maxWorkers))
}

// fingerprint identifies everything that determines a revision of a module.
func (p plan) fingerprint(digest plugin.Digest) string {
	var selectors []string
	for _, t := range p.targets {
		s := t.GVK.String()
		if t.Selector != nil {
			s += "|" + t.Selector.String()
		}
		selectors = append(selectors, s)
	}
	// Everything in here is plain data, which always marshals.
	text, _ := json.Marshal([]any{
		digest, p.capabilities, selectors, p.watch.Owns, p.settings, p.limits, p.identity, p.allowlist, p.maxConcurrentRequests,
		p.requestsPerSecond, p.burst, p.secret, // the serving revision does not redact a value that was not secret when it was loaded
	})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// types returns the target kinds as text, for the status.
func (p plan) types() string {
	var gvks []schema.GroupVersionKind
	for _, t := range p.targets {
		gvks = append(gvks, t.GVK)
	}
	return plugin.KindNames(gvks)
}
