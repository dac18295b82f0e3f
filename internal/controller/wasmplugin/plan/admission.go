// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Admission configures the webhooks of a plugin.
type Admission struct {
	FailurePolicy  pluginsv1alpha1.FailurePolicy
	Timeout        time.Duration
	ObjectSelector *metav1.LabelSelector
}

// NewAdmission returns spec.admission with its defaults. The error is a *plugin.LoadError about the objectSelector; the
// other fields are set nevertheless.
func NewAdmission(spec pluginsv1alpha1.Admission) (Admission, error) {
	spec = spec.WithDefaults()
	a := Admission{FailurePolicy: spec.FailurePolicy, Timeout: time.Duration(spec.TimeoutSeconds) * time.Second}
	if err := plugin.CheckObjectSelector(spec.ObjectSelector); err != nil {
		return a, err
	}
	a.ObjectSelector = spec.ObjectSelector
	return a, nil
}

// admissionCapabilities returns the plan's capabilities that need webhooks, and the verb that each of them needs.
func (p Plan) admissionCapabilities() map[plugin.Capability]string {
	all := map[plugin.Capability]string{
		plugin.CapabilityValidation: admission.VerbValidate,
		plugin.CapabilityAdmission:  admission.VerbValidate,
		plugin.CapabilityDefaulting: admission.VerbMutate,
	}
	for c := range all {
		if !p.Has(c) {
			delete(all, c)
		}
	}
	return all
}

// AdmissionVerbs returns the verbs that the ServiceAccount needs on the kinds that the plugin's webhooks match.
func (p Plan) AdmissionVerbs() []string {
	var verbs []string
	for _, verb := range p.admissionCapabilities() {
		if !slices.Contains(verbs, verb) {
			verbs = append(verbs, verb)
		}
	}
	slices.Sort(verbs)
	return verbs
}

// AdmissionExports returns those of a module's exports that the plugin's webhooks call, sorted.
func (p Plan) AdmissionExports(exports plugin.ExportSet) []string {
	var out []string
	for c := range p.admissionCapabilities() {
		for _, export := range plugin.Exports(c) {
			if exports.Has(export) {
				out = append(out, export)
			}
		}
	}
	slices.Sort(out)
	return out
}

// AdmissionTargets returns the kinds that the plugin's webhooks match. A serving plugin has its permissions in all
// namespaces in which it needs them.
func (p Plan) AdmissionTargets(kinds Kinds) []admission.Target {
	verbs := p.AdmissionVerbs()
	var out []admission.Target
	for _, target := range p.Targets {
		mapping := kinds[target.GVK]
		t := admission.Target{GVK: target.GVK, GVR: mapping.Resource, Namespaced: mapping.Scope.Name() == meta.RESTScopeNameNamespace}
		scope := scopeOf(p.scopes(mapping))
		if slices.Contains(verbs, admission.VerbValidate) {
			t.Validate = scope
		}
		if slices.Contains(verbs, admission.VerbMutate) {
			t.Mutate = scope
		}
		out = append(out, t)
	}
	return out
}

func scopeOf(namespaces []string) plugin.Namespaces {
	if slices.Contains(namespaces, "") {
		return plugin.Namespaces{plugin.AllNamespaces}
	}
	sorted := slices.Clone(namespaces)
	slices.Sort(sorted)
	return sorted
}
