// SPDX-License-Identifier: Apache-2.0

// Package plan combines the spec of a WasmPlugin with the metadata of its module: what the plugin watches, which
// permissions it needs, and what it leaves in the cluster. It is pure: it reads and writes nothing.
package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// Plan is the combination of a spec and a module's metadata.
type Plan struct {
	Metadata     plugin.Metadata
	Capabilities []plugin.Capability
	// Targets are the kinds that the plugin is for.
	Targets []plugin.Target
	// Watch has no targets if the plugin receives no events.
	Watch watch.Spec
	// Admission configures the plugin's webhooks, if it has any.
	Admission Admission
	// Settings include the values from Secrets once they are read; Redact removes these values from messages.
	Settings json.RawMessage
	Redact   *plugin.Redactor
	// Secret are the names of the settings from Secrets.
	Secret    []string
	Limits    plugin.Limits
	Identity  rbac.Identity
	Allowlist access.Allowlist
	// MaxConcurrentRequests limits the plugin's requests to the cluster.
	MaxConcurrentRequests int
	// RequestsPerSecond and Burst limit the rate of these requests; 0 means no limit.
	RequestsPerSecond, Burst int
}

// New combines a spec and metadata. Errors are *plugin.LoadError.
func New(wp *pluginsv1alpha1.WasmPlugin, metadata plugin.Metadata) (Plan, error) {
	spec := wp.Spec
	p := Plan{
		Metadata:              metadata,
		Settings:              json.RawMessage("{}"),
		Limits:                LimitsOf(spec.Runtime, wp.Namespace),
		Identity:              IdentityOf(wp),
		Allowlist:             access.NewAllowlist(spec.Security, wp.Namespace),
		MaxConcurrentRequests: int(spec.Security.WithDefaults().MaxConcurrentRequests),
		RequestsPerSecond:     int(spec.Security.RequestsPerSecond),
		Burst:                 int(cmp.Or(spec.Security.Burst, 2*spec.Security.RequestsPerSecond)),
	}
	if spec.Settings != nil && len(spec.Settings.Raw) > 0 {
		p.Settings = spec.Settings.Raw
	}
	var err error
	if p.Capabilities, err = plugin.ResolveCapabilities(spec.Capabilities, metadata.Capabilities); err != nil {
		return Plan{}, err
	}
	targets, err := plugin.ResolveTypes(spec.ForTypes, metadata.ForTypes)
	if err != nil {
		return Plan{}, err
	}
	p.Targets = append(p.Targets, targets...)
	owns, err := plugin.ParseOwns(spec.Owns)
	if err != nil {
		return Plan{}, err
	}
	if p.ReceivesEvents() {
		p.Watch = watch.Spec{
			Targets: p.Targets, Owns: owns, Namespaces: p.Allowlist.Namespaces,
			MaxConcurrentReconciles: workers(p.Limits.MaxInstances, metadata.MaxBatch),
		}
	}
	if p.Has(plugin.CapabilityFinalization) {
		p.Watch.Finalizer = pluginsv1alpha1.FinalizerOf(wp.Namespace, wp.Name)
	}
	p.Admission, err = NewAdmission(spec.Admission)
	return p, err
}

// IdentityOf returns the identity of a plugin that acts as its ServiceAccount.
func IdentityOf(wp *pluginsv1alpha1.WasmPlugin) rbac.Identity {
	return rbac.Identity{
		Namespace: wp.Namespace, Plugin: wp.Name, ServiceAccount: wp.Spec.ServiceAccount(),
	}
}

// ReceivesEvents reports whether the plugin receives events of objects.
func (p Plan) ReceivesEvents() bool {
	return p.Has(plugin.CapabilityReconcile) || p.Has(plugin.CapabilityFinalization)
}

// Has reports whether the plugin has a capability.
func (p Plan) Has(c plugin.Capability) bool { return slices.Contains(p.Capabilities, c) }

// Using returns the plan with its kinds as the API server serves them.
func (p Plan) Using(kinds Kinds) Plan {
	p.Watch.Kinds = kinds.of(p.Watched())
	return p
}

// NeedsSame reports whether two plans need the same from the cluster.
func (p Plan) NeedsSame(other Plan) bool {
	return p.Identity == other.Identity && p.Watch.EqualButKinds(other.Watch) &&
		slices.Equal(p.AdmissionVerbs(), other.AdmissionVerbs()) &&
		slices.Equal(p.Kinds(), other.Kinds()) && slices.Equal(p.Allowlist.Namespaces, other.Allowlist.Namespaces)
}

// Fingerprint identifies everything that determines a revision of a module.
func (p Plan) Fingerprint(digest plugin.Digest) string {
	var selectors []string
	for _, t := range p.Targets {
		s := t.GVK.String()
		if t.Selector != nil {
			s += "|" + t.Selector.String()
		}
		selectors = append(selectors, s)
	}
	// Everything in here is plain data, which always marshals.
	text, _ := json.Marshal([]any{
		digest, p.Capabilities, selectors, p.Watch.Owns, p.Settings, p.Limits, p.Identity, p.Allowlist, p.MaxConcurrentRequests,
		p.RequestsPerSecond, p.Burst, p.Secret, // the serving revision does not redact a value that was not secret when it was loaded
	})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Types returns the target kinds as text, for the status.
func (p Plan) Types() string {
	var gvks []schema.GroupVersionKind
	for _, t := range p.Targets {
		gvks = append(gvks, t.GVK)
	}
	return plugin.KindNames(gvks)
}

// Summary returns what the plugin does as text, for a message.
func (p Plan) Summary() string {
	var does []string
	if p.ReceivesEvents() {
		does = append(does, "receives events of "+p.Types())
	}
	if len(p.AdmissionVerbs()) > 0 {
		does = append(does, "answers admission requests for "+p.Types())
	}
	return strings.Join(does, " and ")
}

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
