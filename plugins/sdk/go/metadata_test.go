// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	stdjson "encoding/json"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

func nothing(context.Context, Request, *Object) (Result, error) { return Result{}, nil }

func allow(context.Context, *Object) (Warnings, error) { return nil, nil }

func forConfigMaps() Handler { return ForKind("v1", "ConfigMap", ReconcileFunc[*Object](nothing)) }

func TestPlugin_metadata(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plugin Plugin
		want   string
	}{
		"least": {
			Plugin{Name: "a", Version: "1"},
			`{"name":"a","version":"1","language":"go","capabilities":[],"runtime":{"abi":1}}`,
		},
		"everything": {
			Plugin{
				Name: "a", Version: "1", Author: "me", Description: `"quoted"`,
				Reconcilers:    []Handler{forConfigMaps(), ForKind("apps/v1", "Deployment", ReconcileFunc[*Object](nothing))},
				Capabilities:   []Capability{CapabilityStatusUpdate, CapabilityReconcile, CapabilityStatusUpdate},
				MinMemoryPages: 64,
				MaxBatch:       32,
				ConfigSchema:   `{"type":"object"}`,
			},
			`{"name":"a","version":"1","author":"me","description":"\"quoted\"","language":"go",` +
				`"forTypes":[{"apiVersion":"v1","kind":"ConfigMap"},{"apiVersion":"apps/v1","kind":"Deployment"}],` +
				`"capabilities":["reconcile","status_update"],"runtime":{"abi":1,"minMemoryPages":64,"maxBatch":32},` +
				`"configSchema":{"type":"object"}}`,
		},
		"requests that wait": {
			Plugin{
				Name: "a", Version: "1", Deterministic: true,
				Reconcilers: []Handler{forConfigMaps()},
				Finalizers:  []Handler{FinalizeKind("v1", "Pod", nothing)},
				Admission: []AdmissionHandler{
					ValidateKind("v1", "Secret", Validator[*Object]{Delete: allow}),
					DefaultKind("v1", "Secret", func(context.Context, *Object) error { return nil }),
					AdmitKind("v1", "Pod", Admitter[*Object]{
						Operations: []Operation{OperationDelete},
						Admit:      func(context.Context, AdmissionRequest[*Object]) (Warnings, error) { return nil, nil },
					}),
					ValidateKind("v1", "ConfigMap", Validator[*Object]{Create: allow}),
				},
			},
			`{"name":"a","version":"1","language":"go","forTypes":[{"apiVersion":"v1","kind":"ConfigMap"},` +
				`{"apiVersion":"v1","kind":"Pod"},{"apiVersion":"v1","kind":"Secret"}],` +
				`"capabilities":["reconcile","finalization","validation","defaulting","admission"],` +
				`"runtime":{"abi":1,"deterministic":true},"admission":{"operations":["CREATE","UPDATE","DELETE"]}}`,
		},
		"creations only": {
			Plugin{Name: "a", Version: "1", Admission: []AdmissionHandler{ValidateKind("v1", "Secret", Validator[*Object]{Create: allow})}},
			`{"name":"a","version":"1","language":"go","forTypes":[{"apiVersion":"v1","kind":"Secret"}],"capabilities":["validation"],` +
				`"runtime":{"abi":1},"admission":{"operations":["CREATE"]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.plugin.Metadata()
			if err != nil || string(got) != c.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
			}
			if !stdjson.Valid(got) {
				t.Error("this is not valid JSON")
			}
		})
	}
}

func TestPlugin_metadataProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plugin Plugin
		want   string
	}{
		"no name":             {Plugin{Version: "1"}, `plugin "": Name is empty`},
		"no version":          {Plugin{Name: "a"}, `plugin "a": Version is empty`},
		"batch below nothing": {Plugin{Name: "a", Version: "1", MaxBatch: -1}, `plugin "a": MaxBatch is -1, want 0 to 256`},
		"batch too large":     {Plugin{Name: "a", Version: "1", MaxBatch: 257}, `plugin "a": MaxBatch is 257, want 0 to 256`},
		"handler not made by For": {
			Plugin{Name: "a", Version: "1", Reconcilers: []Handler{{}}},
			`plugin "a": a Handler is empty: make it with For or ForKind`,
		},
		"handler without kind": {
			Plugin{Name: "a", Version: "1", Reconcilers: []Handler{ForKind("v1", "", ReconcileFunc[*Object](nothing))}},
			`plugin "a": a Handler has no apiVersion or no kind`,
		},
		"two handlers for a kind": {
			Plugin{Name: "a", Version: "1", Reconcilers: []Handler{forConfigMaps(), forConfigMaps()}},
			`plugin "a": two Handlers for ConfigMap of v1`,
		},
		"finalizer not made by Finalize": {
			Plugin{Name: "a", Version: "1", Finalizers: []Handler{{}}},
			`plugin "a": a Handler is empty: make it with Finalize or FinalizeKind`,
		},
		"two finalizers for a kind": {
			Plugin{Name: "a", Version: "1", Finalizers: []Handler{forConfigMaps(), forConfigMaps()}},
			`plugin "a": two Handlers for ConfigMap of v1`,
		},
		"validator without functions": {
			Plugin{Name: "a", Version: "1", Admission: []AdmissionHandler{ValidateKind("v1", "Pod", Validator[*Object]{})}},
			`plugin "a": an AdmissionHandler is empty: make it with Validate, Default or Admit, and give it a function`,
		},
		"defaulter without a function": {
			Plugin{Name: "a", Version: "1", Admission: []AdmissionHandler{DefaultKind("v1", "Pod", nil)}},
			`plugin "a": an AdmissionHandler is empty: make it with Validate, Default or Admit, and give it a function`,
		},
		"admitter without a function": {
			Plugin{Name: "a", Version: "1", Admission: []AdmissionHandler{AdmitKind("v1", "Pod", Admitter[*Object]{})}},
			`plugin "a": an AdmissionHandler is empty: make it with Validate, Default or Admit, and give it a function`,
		},
		"validator without kind": {
			Plugin{Name: "a", Version: "1", Admission: []AdmissionHandler{ValidateKind("v1", "", Validator[*Object]{Create: allow})}},
			`plugin "a": an AdmissionHandler has no apiVersion or no kind`,
		},
		"two validators for a kind": {
			Plugin{Name: "a", Version: "1", Admission: []AdmissionHandler{
				ValidateKind("v1", "Pod", Validator[*Object]{Create: allow}), ValidateKind("v1", "Pod", Validator[*Object]{Delete: allow}),
			}},
			`plugin "a": two AdmissionHandlers of the capability validation for Pod of v1`,
		},
		"schema is no object": {
			Plugin{Name: "a", Version: "1", ConfigSchema: `true`},
			`plugin "a": ConfigSchema is not a JSON object`,
		},
		"schema is no JSON": {
			Plugin{Name: "a", Version: "1", ConfigSchema: `{"type":}`},
			`plugin "a": ConfigSchema: type: want a value, found '}' (at byte 8)`,
		},
		"too large": {
			Plugin{Name: "a", Version: "1", ConfigSchema: json.Raw(`{"x":"` + strings.Repeat("x", 256<<10) + `"}`)},
			`plugin "a": metadata has 262248 bytes, at most 262144 are allowed`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.plugin.Metadata()
			if err == nil || err.Error() != c.want || !IsInvalid(err) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}
