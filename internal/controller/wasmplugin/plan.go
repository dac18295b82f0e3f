// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// The defaults of spec.runtime and spec.security, for objects that the API server has not defaulted:
// a defaulted field inside an absent object stays absent.
const (
	defaultMaxMemoryPages        = 1024
	defaultTimeoutSeconds        = 5
	defaultMaxInstances          = 4
	defaultIdleSeconds           = 60
	defaultMaxConcurrentRequests = 10
	defaultServiceAccount        = "default"
)

// plan is what a spec and a module's metadata come to together.
type plan struct {
	metadata     plugin.Metadata
	capabilities []plugin.Capability
	// targets are the kinds that the plugin is for.
	targets []watch.Target
	// watch has no targets if the plugin is not told of events.
	watch watch.Spec
	// admission says how requests are held up, if they are.
	admission admissionPlan
	settings  json.RawMessage
	limits    plugin.Limits
	identity  access.Identity
	allowlist access.Allowlist
	// maxConcurrentRequests bounds the plugin's requests to the cluster.
	maxConcurrentRequests int
	// requestsPerSecond and burst bound them over time; 0 means no bound.
	requestsPerSecond, burst int
}

// limitsOf reads spec.runtime.
func limitsOf(rt pluginsv1alpha1.Runtime) plugin.Limits {
	return plugin.Limits{
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

// newPlan puts a spec and metadata together. Errors are *plugin.LoadError.
func newPlan(wp *pluginsv1alpha1.WasmPlugin, metadata plugin.Metadata) (plan, error) {
	spec := wp.Spec
	p := plan{
		metadata: metadata,
		settings: json.RawMessage("{}"),
		limits:   limitsOf(spec.Runtime),
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
	if p.capabilities, err = resolveCapabilities(spec.Capabilities, metadata.Capabilities); err != nil {
		return plan{}, err
	}
	if p.targets, err = resolveTypes(spec.ForTypes, metadata.ForTypes); err != nil {
		return plan{}, err
	}
	owns, err := resolveOwns(spec.Owns)
	if err != nil {
		return plan{}, err
	}
	if p.toldOfEvents() {
		p.watch = watch.Spec{
			Targets: p.targets, Owns: owns, Namespaces: p.allowlist.Namespaces,
			MaxConcurrentReconciles: workers(p.limits.MaxInstances, metadata.MaxBatch),
		}
	}
	p.admission, err = planAdmission(spec.Admission)
	return p, err
}

// toldOfEvents says whether events of objects are for the plugin.
func (p plan) toldOfEvents() bool {
	return p.has(plugin.CapabilityReconcile)
}

func (p plan) has(c plugin.Capability) bool { return slices.Contains(p.capabilities, c) }

// maxWorkers bounds the workers of a plugin that takes batches: each costs a goroutine.
const maxWorkers = 256

// workers is how many requests of a plugin are under way at once. More than there are instances would
// only wait for each other, unless those that wait are joined.
func workers(instances, batch int) int {
	if batch < 2 {
		return instances
	}
	return max(instances, min(instances*batch, maxWorkers))
}

// resolveCapabilities narrows what the module declares to what the spec asks for.
func resolveCapabilities(asked, declared []plugin.Capability) ([]plugin.Capability, error) {
	granted := asked
	if len(asked) == 0 {
		granted = declared
	}
	for _, c := range granted {
		if !slices.Contains(declared, c) {
			return nil, plugin.Refuse(pluginsv1alpha1.ReasonCapabilityNotDeclared,
				"spec.capabilities asks for %q, but the module declares only %q: remove it, or use a module that has it", c, declared)
		}
		if !slices.Contains(plugin.Supported(), c) {
			return nil, plugin.Refuse(pluginsv1alpha1.ReasonUnsupportedCapability,
				"the module declares the capability %q, which this operator does not serve: set spec.capabilities to those of %q that you want", c, plugin.Supported())
		}
	}
	if !slices.ContainsFunc(granted, plugin.OfTypes) {
		return nil, plugin.Refuse(pluginsv1alpha1.ReasonUnsupportedCapability,
			"the plugin has only the capabilities %q, so that nothing would ever call it: it needs one more of %q", granted,
			slices.DeleteFunc(plugin.Supported(), func(c plugin.Capability) bool { return !plugin.OfTypes(c) }))
	}
	return granted, nil
}

// resolveTypes narrows the kinds that the module declares to those of the spec.
func resolveTypes(asked []pluginsv1alpha1.ForType, declared []schema.GroupVersionKind) ([]watch.Target, error) {
	var targets []watch.Target
	if len(asked) == 0 {
		for _, gvk := range declared {
			targets = append(targets, watch.Target{GVK: gvk})
		}
		return targets, nil
	}
	for i, t := range asked {
		gvk, err := plugin.ParseType(t.APIVersion, t.Kind)
		if err != nil {
			return nil, plugin.Refuse(pluginsv1alpha1.ReasonTypeNotDeclared, "spec.forTypes[%d]: %v", i, err)
		}
		if !slices.Contains(declared, gvk) {
			return nil, plugin.Refuse(pluginsv1alpha1.ReasonTypeNotDeclared,
				"spec.forTypes asks for %s, but the module declares only %s: remove it, or use a module that has it", kindName(gvk), kindNames(declared))
		}
		target := watch.Target{GVK: gvk}
		if t.LabelSelector != nil {
			if target.Selector, err = metav1.LabelSelectorAsSelector(t.LabelSelector); err != nil {
				return nil, plugin.Refuse(pluginsv1alpha1.ReasonTypeNotDeclared, "spec.forTypes[%d].labelSelector: %v", i, err)
			}
		}
		targets = append(targets, target)
	}
	return targets, nil
}

func resolveOwns(owns []pluginsv1alpha1.TypeReference) ([]schema.GroupVersionKind, error) {
	var out []schema.GroupVersionKind
	for i, t := range owns {
		gvk, err := plugin.ParseType(t.APIVersion, t.Kind)
		if err != nil {
			return nil, plugin.Refuse(pluginsv1alpha1.ReasonTypeNotDeclared, "spec.owns[%d]: %v", i, err)
		}
		out = append(out, gvk)
	}
	return out, nil
}

// kindName writes a kind as kubectl does: "Item.inventory.example.com".
func kindName(gvk schema.GroupVersionKind) string { return gvk.GroupKind().String() }

func kindNames(gvks []schema.GroupVersionKind) string {
	names := make([]string, len(gvks))
	for i, gvk := range gvks {
		names[i] = kindName(gvk)
	}
	return strings.Join(names, ",")
}

// fingerprint identifies everything that makes a revision, for a module.
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
		p.requestsPerSecond, p.burst,
	})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// types lists the kinds for status.
func (p plan) types() string {
	var gvks []schema.GroupVersionKind
	for _, t := range p.targets {
		gvks = append(gvks, t.GVK)
	}
	return kindNames(gvks)
}
