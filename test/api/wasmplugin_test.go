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
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestWasmPlugin_validation(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	many := func(entry string, n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(entry+", ", n), ", ") + "]"
	}
	for name, tc := range map[string]struct {
		why  string
		spec string
		// wantErr is part of the API server's error. Empty means that it accepts the object.
		wantErr string
	}{
		"configmap":       {why: "the usual source", spec: `source: {configMap: {name: a}}`},
		"file":            {why: "the other source", spec: `source: {file: {path: sub/a.wasm}}`},
		"no-source":       {why: "a plugin needs a module", spec: `suspend: true`, wantErr: "spec.source: Required"},
		"empty-source":    {why: "one member must be set", spec: `source: {}`, wantErr: "exactly one of configMap and file"},
		"two-sources":     {why: "only one member may be set", spec: `source: {configMap: {name: a}, file: {path: a}}`, wantErr: "exactly one of configMap and file"},
		"configmap-name":  {why: "a ConfigMap has a name", spec: `source: {configMap: {key: a}}`, wantErr: "source.configMap.name: Required"},
		"configmap-key":   {why: "keys of ConfigMaps have no slash", spec: `source: {configMap: {name: a, key: a/b}}`, wantErr: "source.configMap.key"},
		"file-absolute":   {why: "paths are below the plugin directory", spec: `source: {file: {path: /etc/passwd}}`, wantErr: "relative to the plugin directory"},
		"file-up":         {why: "paths stay below the plugin directory", spec: `source: {file: {path: a/../../b}}`, wantErr: "relative to the plugin directory"},
		"file-empty-part": {why: "a path has no empty part", spec: `source: {file: {path: a//b}}`, wantErr: "relative to the plugin directory"},
		"file-dot":        {why: "a path has no part that means nothing", spec: `source: {file: {path: ./a}}`, wantErr: "relative to the plugin directory"},

		"sha256":       {why: "64 hex digits", spec: `{` + source + `, sha256: ` + strings.Repeat("0a", 32) + `}`},
		"sha256-short": {why: "not the whole digest", spec: `{` + source + `, sha256: abc}`, wantErr: "spec.sha256"},
		"sha256-upper": {why: "digests are compared as text", spec: `{` + source + `, sha256: ` + strings.Repeat("0A", 32) + `}`, wantErr: "spec.sha256"},

		"account":       {why: "any name of a ServiceAccount", spec: `{` + source + `, serviceAccountName: robot-1.shop}`},
		"account-shell": {why: "commands to paste have it in them", spec: `{` + source + `, serviceAccountName: "a; id"}`, wantErr: "spec.serviceAccountName"},
		"account-flag":  {why: "no ServiceAccount can have this name, and kubectl takes it for a flag", spec: `{` + source + `, serviceAccountName: "--as=admin"}`, wantErr: "spec.serviceAccountName"},
		"source-shell":  {why: "commands to paste have it in them", spec: `{source: {configMap: {name: "$(id)"}}}`, wantErr: "spec.source.configMap.name"},

		"types":          {why: "two versions of a kind are two types", spec: `{` + source + `, forTypes: [{apiVersion: a/v1, kind: B}, {apiVersion: a/v2, kind: B}]}`},
		"types-empty":    {why: "an empty list would mean no event at all", spec: `{` + source + `, forTypes: []}`, wantErr: "spec.forTypes"},
		"types-twice":    {why: "a type is listed once", spec: `{` + source + `, forTypes: [{apiVersion: a/v1, kind: B}, {apiVersion: a/v1, kind: B}]}`, wantErr: "Duplicate value"},
		"types-version":  {why: "a group needs a version", spec: `{` + source + `, forTypes: [{apiVersion: a/, kind: B}]}`, wantErr: "apiVersion"},
		"types-kind":     {why: "kinds begin with a capital", spec: `{` + source + `, forTypes: [{apiVersion: a/v1, kind: b}]}`, wantErr: "kind"},
		"types-too-many": {why: "at most 16", spec: `{` + source + `, owns: ` + manyKinds(17) + `}`, wantErr: "Too many"},

		"capabilities":         {why: "those that are served", spec: `{` + source + `, capabilities: [reconcile, status_update]}`},
		"capabilities-empty":   {why: "a plugin without a capability is never called", spec: `{` + source + `, capabilities: []}`, wantErr: "spec.capabilities"},
		"capabilities-unknown": {why: "only those that are served", spec: `{` + source + `, capabilities: [telepathy]}`, wantErr: "Unsupported value"},

		"settings":       {why: "anything, as long as it is an object", spec: `{` + source + `, settings: {a: {b: [1, x, null]}}}`},
		"settings-array": {why: "settings are an object", spec: `{` + source + `, settings: [1]}`, wantErr: "spec.settings"},

		"resources":           {why: "every form", spec: `{` + source + `, security: {allowedResources: [items, deployments.apps, items/status, "*/status", "*", "*.apps", "items.example.com/*"]}}`},
		"resources-bad":       {why: "resources are lower case", spec: `{` + source + `, security: {allowedResources: [Items]}}`, wantErr: "allowedResources"},
		"resources-two-parts": {why: "a subresource has no subresource", spec: `{` + source + `, security: {allowedResources: [a/b/c]}}`, wantErr: "allowedResources"},
		"verbs-unknown":       {why: "verbs of plugins only", spec: `{` + source + `, security: {allowedVerbs: [impersonate]}}`, wantErr: "Unsupported value"},
		"namespaces":          {why: "names, or all", spec: `{` + source + `, security: {allowedNamespaces: [a, "*"]}}`},
		"namespaces-bad":      {why: "no patterns", spec: `{` + source + `, security: {allowedNamespaces: [a*]}}`, wantErr: "allowedNamespaces"},
		"requests-none":       {why: "0 would reject everything", spec: `{` + source + `, security: {maxConcurrentRequests: 0}}`, wantErr: "maxConcurrentRequests"},
		"requests-too-many":   {why: "at most 1000", spec: `{` + source + `, security: {maxConcurrentRequests: 1001}}`, wantErr: "maxConcurrentRequests"},
		"verbs-too-many":      {why: "a verb is listed once", spec: `{` + source + `, security: {allowedVerbs: ` + many("get", 2) + `}}`, wantErr: "Duplicate value"},

		"memory":              {why: "the start may be the limit", spec: `{` + source + `, runtime: {memoryPages: 64, maxMemoryPages: 64}}`},
		"memory-above":        {why: "the start may not be above the limit", spec: `{` + source + `, runtime: {memoryPages: 65, maxMemoryPages: 64}}`, wantErr: "memoryPages must not be above maxMemoryPages"},
		"memory-above-unsaid": {why: "nor above the default limit", spec: `{` + source + `, runtime: {memoryPages: 1025}}`, wantErr: "memoryPages must not be above maxMemoryPages"},
		"memory-too-much":     {why: "WebAssembly has 65536 pages", spec: `{` + source + `, runtime: {maxMemoryPages: 65537}}`, wantErr: "maxMemoryPages"},
		"timeout-none":        {why: "a call needs some time", spec: `{` + source + `, runtime: {timeoutSeconds: 0}}`, wantErr: "timeoutSeconds"},
		"timeout-long":        {why: "at most five minutes", spec: `{` + source + `, runtime: {timeoutSeconds: 301}}`, wantErr: "timeoutSeconds"},
		"instances-none":      {why: "a call needs an instance", spec: `{` + source + `, runtime: {maxInstances: 0}}`, wantErr: "maxInstances"},
		"instances-too-many":  {why: "at most 64", spec: `{` + source + `, runtime: {maxInstances: 65}}`, wantErr: "maxInstances"},
		"idle-none":           {why: "0 releases an instance after each call", spec: `{` + source + `, runtime: {idleSeconds: 0}}`},
		"idle-negative":       {why: "there is no negative time", spec: `{` + source + `, runtime: {idleSeconds: -1}}`, wantErr: "idleSeconds"},
		"idle-long":           {why: "at most a day", spec: `{` + source + `, runtime: {idleSeconds: 86401}}`, wantErr: "idleSeconds"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := create(t, env, ns, name, tc.spec)
			switch {
			case tc.wantErr == "" && err != nil:
				t.Errorf("%s: rejected: %v", tc.why, err)
			case tc.wantErr != "" && !apierrors.IsInvalid(err):
				t.Errorf("%s: want it rejected as Invalid, got %v", tc.why, err)
			case tc.wantErr != "" && !strings.Contains(err.Error(), tc.wantErr):
				t.Errorf("%s: %q does not say %q", tc.why, err, tc.wantErr)
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

func manyKinds(n int) string {
	var kinds []string
	for i := range n {
		kinds = append(kinds, `{apiVersion: v1, kind: K`+strings.Repeat("k", i)+`}`)
	}
	return "[" + strings.Join(kinds, ", ") + "]"
}

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
	if err := env.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "defaults"}, &wp); err != nil {
		t.Fatal(err)
	}
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
	if err := env.Client.Create(t.Context(), wp); err != nil {
		t.Fatal(err)
	}
	if err := env.Client.Get(t.Context(), client.ObjectKeyFromObject(wp), wp); err != nil {
		t.Fatal(err)
	}
	s := wp.Spec.Security
	if s.AllowedResources == nil || s.AllowedNamespaces == nil {
		t.Errorf("empty lists came back absent: %#v", s)
	}
	if s.AllowedVerbs != nil {
		t.Errorf("an absent list came back as %#v", s.AllowedVerbs)
	}
}
