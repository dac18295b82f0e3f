// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"net/http"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/abi"
)

// For a plugin that cannot be called, the failure policy decides about the requests that the plugin has permission for,
// with the reason. Requests that are exempt from a plugin's webhooks are also exempt from its failure policy.
func TestServer_unavailable(t *testing.T) {
	const why = "cannot serve (KindNotFound)"
	deleting := func(r *admissionv1.AdmissionRequest) {
		r.Operation, r.OldObject = admissionv1.Update, raw(`{"apiVersion":"a/b","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}`)
	}
	for name, tt := range map[string]struct {
		policy    func(*Plugin)
		permitted bool
		hook      webhook
		change    func(*admissionv1.AdmissionRequest)
		allowed   bool
		warns     bool
	}{
		"Fail":                    {permitted: true, hook: validating},
		"Fail, mutating":          {permitted: true, hook: mutating},
		"Fail, another version":   {permitted: true, hook: validating, change: func(r *admissionv1.AdmissionRequest) { r.Resource.Version = "v9" }},
		"Ignore":                  {policy: ignore, permitted: true, hook: validating, allowed: true, warns: true},
		"Ignore, mutating":        {policy: ignore, permitted: true, hook: mutating, allowed: true, warns: true},
		"no permission":           {hook: validating, allowed: true},
		"an exempt namespace":     {permitted: true, hook: validating, change: func(r *admissionv1.AdmissionRequest) { r.Namespace = operatorNamespace }, allowed: true},
		"a step of a deletion":    {permitted: true, hook: validating, change: deleting, allowed: true},
		"a subresource":           {permitted: true, hook: validating, change: func(r *admissionv1.AdmissionRequest) { r.SubResource = "status" }, allowed: true},
		"a connection":            {permitted: true, hook: validating, change: func(r *admissionv1.AdmissionRequest) { r.Operation = admissionv1.Connect }, allowed: true},
		"a deletion, to mutating": {permitted: true, hook: mutating, change: func(r *admissionv1.AdmissionRequest) { r.Operation = admissionv1.Delete }, allowed: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDirect(t, authority{allowed: tt.permitted})
			d.Unavailable = func(_ context.Context, asked types.NamespacedName) *Plugin {
				p := directPlugin(nil, func(p *Plugin) { p.Unavailable, p.Runner, p.Targets, p.Exports = why, nil, nil, nil })
				if asked != p.Name {
					t.Errorf("asked about %s", asked)
				}
				if tt.policy != nil {
					tt.policy(p)
				}
				return p
			}
			response, _ := d.review(t, tt.hook, tt.change)
			if response == nil || response.Allowed != tt.allowed {
				t.Fatalf("%+v, want allowed: %t", response, tt.allowed)
			}
			if !tt.allowed && (response.Result.Code != http.StatusServiceUnavailable || !contains(response.Result.Message, why, "kubectl describe wasmplugin script -n home")) {
				t.Errorf("denied with %+v", response.Result)
			}
			if warned := len(response.Warnings) == 1 && contains(response.Warnings[0], why); warned != tt.warns {
				t.Errorf("the warnings are %q", response.Warnings)
			}
		})
	}
}

// When a plugin is unloaded, the failure policy applies to its requests at once, and not only after linger, during
// which they would be allowed.
func TestServer_Unload(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	d.Unavailable = func(context.Context, types.NamespacedName) *Plugin {
		return directPlugin(nil, func(p *Plugin) { p.Unavailable = "is being loaded" })
	}
	d.Set(directPlugin(slot(t, load(t, newEngine(t), nil, scripted(abi.ExportValidateCreate, anything, replies, "")))))
	if response, _ := d.review(t, validating, nil); response == nil || !response.Allowed {
		t.Errorf("loaded: %+v", response)
	}
	d.Unload(types.NamespacedName{Namespace: "home", Name: "script"})
	if response, _ := d.review(t, validating, nil); response == nil || response.Allowed || !contains(response.Result.Message, "is being loaded") {
		t.Errorf("unloaded: %+v", response)
	}
	d.Unavailable = func(context.Context, types.NamespacedName) *Plugin { return nil }
	if _, recorder := d.review(t, validating, nil); recorder.Code != http.StatusServiceUnavailable {
		t.Errorf("a plugin that does not exist: status %d", recorder.Code)
	}
}

// A request for a kind of the plugin in another version or resource is not allowed without a check: the rules of the
// webhook configurations, and the replicas, observe a change one after another.
func TestServer_servedInAnotherWay(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	runner := slot(t, load(t, newEngine(t), nil, scripted(abi.ExportValidateCreate, anything, replies, "")))
	for name, change := range map[string]func(*admissionv1.AdmissionRequest){
		"version":  func(r *admissionv1.AdmissionRequest) { r.Kind.Version, r.Resource.Version = "v9", "v9" },
		"resource": func(r *admissionv1.AdmissionRequest) { r.Resource.Resource = "articles" },
	} {
		d.Set(directPlugin(runner))
		if response, _ := d.review(t, validating, change); response == nil || response.Allowed || !contains(response.Result.Message, "cannot be asked about") {
			t.Errorf("%s, Fail: %+v", name, response)
		}
		d.Set(directPlugin(runner, ignore))
		if response, _ := d.review(t, validating, change); response == nil || !response.Allowed || len(response.Warnings) != 1 {
			t.Errorf("%s, Ignore: %+v", name, response)
		}
	}
}

func contains(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
