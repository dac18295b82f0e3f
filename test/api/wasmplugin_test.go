// SPDX-License-Identifier: Apache-2.0

package api

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/table"
)

func TestMain(m *testing.M) { testenv.Main(m) }

type specCase struct {
	Name, Why, WantErr string
	Spec               table.JSON
}

func TestWasmPlugin_validation(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	for _, tc := range table.Read[specCase](t, "validation.yaml") {
		t.Run(tc.Name, func(t *testing.T) {
			t.Parallel()
			err := create(t, env, ns, tc.Name, string(tc.Spec))
			switch {
			case tc.WantErr == "" && err != nil:
				t.Errorf("%s: rejected: %v", tc.Why, err)
			case tc.WantErr != "" && !apierrors.IsInvalid(err):
				t.Errorf("%s: want it rejected as Invalid, got %v", tc.Why, err)
			case tc.WantErr != "" && !strings.Contains(err.Error(), tc.WantErr):
				t.Errorf("%s: %q does not say %q", tc.Why, err, tc.WantErr)
			}
		})
	}
}

// TestWasmPlugin_status_new checks that a WasmPlugin that the operator has not observed yet does not look up to date to
// kstatus, which compares metadata.generation and status.observedGeneration if there is one.
func TestWasmPlugin_status_new(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	key := client.ObjectKey{Namespace: env.Namespace(t), Name: "new"}
	if err := create(t, env, key.Namespace, key.Name, `{`+source+`}`); err != nil {
		t.Fatal(err)
	}
	var wp pluginsv1alpha1.WasmPlugin
	if err := env.Client.Get(t.Context(), key, &wp); err != nil || wp.Status.ObservedGeneration != -1 {
		t.Errorf("observed generation %d, %v, want -1", wp.Status.ObservedGeneration, err)
	}
}

// source is a source for cases that test something else.
const source = `source: {configMap: {name: a}}`

func create(t *testing.T, env *testenv.Env, ns, name, spec string) error {
	t.Helper()
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatalf("%s: %v", spec, err)
	}
	wp := &unstructured.Unstructured{Object: map[string]any{"spec": fields}}
	wp.SetAPIVersion("plugins.k1s.io/v1alpha1")
	wp.SetKind("WasmPlugin")
	wp.SetNamespace(ns)
	wp.SetName(name)
	return env.Client.Create(t.Context(), wp)
}

func TestWasmPlugin_nameTooLong(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	if err := create(t, env, ns, strings.Repeat("a", 60), `{`+source+`}`); err != nil {
		t.Errorf("60 characters: %v", err)
	}
	err := create(t, env, ns, strings.Repeat("a", 61), `{`+source+`}`)
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "at most 60 characters") {
		t.Errorf("61 characters: %v", err)
	}
}

func TestWasmPlugin_defaults(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	if err := create(t, env, ns, "defaults", `{`+source+`, runtime: {maxInstances: 2}, security: {allowedVerbs: [get]}}`); err != nil {
		t.Fatal(err)
	}
	var wp pluginsv1alpha1.WasmPlugin
	env.Get(t, client.ObjectKey{Namespace: ns, Name: "defaults"}, &wp)
	got := []any{
		wp.Spec.Source.ConfigMap.Key, wp.Spec.ServiceAccountName, wp.Spec.Security.MaxConcurrentRequests,
		wp.Spec.Runtime.MaxMemoryPages, wp.Spec.Runtime.TimeoutSeconds, wp.Spec.Runtime.MaxInstances, *wp.Spec.Runtime.IdleSeconds,
	}
	want := []any{"plugin.wasm", "default", int32(10), int32(1024), int32(5), int32(2), int32(60)}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("default %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// An absent list means everything and an empty one means nothing, so the typed client must not confuse them.
func TestWasmPlugin_emptyListsSurvive(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	wp := &pluginsv1alpha1.WasmPlugin{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "empty"},
		Spec: pluginsv1alpha1.WasmPluginSpec{
			Source:   pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: "a"}},
			Security: pluginsv1alpha1.Security{AllowedResources: []string{}, AllowedNamespaces: []string{}},
		},
	}
	env.Create(t, wp)
	env.Get(t, client.ObjectKeyFromObject(wp), wp)
	s := wp.Spec.Security
	if s.AllowedResources == nil || s.AllowedNamespaces == nil {
		t.Errorf("empty lists came back absent: %#v", s)
	}
	if s.AllowedVerbs != nil {
		t.Errorf("an absent list came back as %#v", s.AllowedVerbs)
	}
}
