// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_bounds tests the last valid and the first invalid value of every limit.
func TestWasmPlugin_bounds(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	with := func(format string) func(any) string {
		return func(value any) string { return `{` + source + `, ` + fmt.Sprintf(format, value) + `}` }
	}
	x := func(n int) string { return strings.Repeat("x", n) }
	list := func(n int, entry string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(entry, i))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	for name, tc := range map[string]struct {
		spec    func(any) string
		in, out any
		field   string
	}{
		"configmap-name-least":  {func(v any) string { return fmt.Sprintf(`source: {configMap: {name: %q}}`, v) }, x(1), "", "spec.source.configMap.name"},
		"configmap-name-most":   {func(v any) string { return fmt.Sprintf(`source: {configMap: {name: %s}}`, v) }, x(253), x(254), "spec.source.configMap.name"},
		"configmap-key-least":   {func(v any) string { return fmt.Sprintf(`source: {configMap: {name: a, key: %q}}`, v) }, x(1), "", "spec.source.configMap.key"},
		"configmap-key-most":    {func(v any) string { return fmt.Sprintf(`source: {configMap: {name: a, key: %s}}`, v) }, x(253), x(254), "spec.source.configMap.key"},
		"file-path-least":       {func(v any) string { return fmt.Sprintf(`source: {file: {path: %q}}`, v) }, x(1), "", "spec.source.file.path"},
		"file-path-most":        {func(v any) string { return fmt.Sprintf(`source: {file: {path: %s}}`, v) }, x(1024), x(1025), "spec.source.file.path"},
		"sha256-most":           {with(`sha256: %s`), strings.Repeat("a", 64), strings.Repeat("a", 65), "spec.sha256"},
		"account-least":         {with(`serviceAccountName: %q`), x(1), "", "spec.serviceAccountName"},
		"account-most":          {with(`serviceAccountName: %s`), x(253), x(254), "spec.serviceAccountName"},
		"types-most":            {with(`forTypes: %s`), list(16, "{apiVersion: v1, kind: K%d}"), list(17, "{apiVersion: v1, kind: K%d}"), "spec.forTypes"},
		"type-version-least":    {with(`forTypes: [{apiVersion: %q, kind: K}]`), "v1", "", "apiVersion"},
		"type-version-most":     {with(`forTypes: [{apiVersion: %s/v1, kind: K}]`), x(314), x(315), "apiVersion"},
		"type-version-form":     {with(`forTypes: [{apiVersion: %s, kind: K}]`), "a.b-c/v1alpha1", "a/b/v1", "apiVersion"},
		"type-kind-most":        {with(`forTypes: [{apiVersion: v1, kind: K%s}]`), x(62), x(63), "kind"},
		"owns-most":             {with(`owns: %s`), list(16, "{apiVersion: v1, kind: K%d}"), list(17, "{apiVersion: v1, kind: K%d}"), "spec.owns"},
		"owns-twice":            {with(`owns: [{apiVersion: v1, kind: K}, {apiVersion: v1, kind: %s}]`), "L", "K", "spec.owns"},
		"capability-twice":      {with(`capabilities: [reconcile, %s]`), "status_update", "reconcile", "spec.capabilities"},
		"settings-from-most":    {with(`settingsFrom: %s`), list(16, "{as: a%d, secretRef: {name: s, key: k}}"), list(17, "{as: a%d, secretRef: {name: s, key: k}}"), "spec.settingsFrom"},
		"settings-from-twice":   {with(`settingsFrom: [{as: a, secretRef: {name: s, key: k}}, {as: %s, secretRef: {name: s, key: k}}]`), "b", "a", "spec.settingsFrom"},
		"settings-as-least":     {with(`settingsFrom: [{as: %q, secretRef: {name: s, key: k}}]`), "a", "", "spec.settingsFrom"},
		"settings-as-most":      {with(`settingsFrom: [{as: %s, secretRef: {name: s, key: k}}]`), x(63), x(64), "spec.settingsFrom"},
		"settings-as-form":      {with(`settingsFrom: [{as: %q, secretRef: {name: s, key: k}}]`), "API_key.v-1", "a b", "spec.settingsFrom"},
		"secret-name-most":      {with(`settingsFrom: [{as: a, secretRef: {name: %s, key: k}}]`), x(253), x(254), "secretRef.name"},
		"secret-name-form":      {with(`settingsFrom: [{as: a, secretRef: {name: %q, key: k}}]`), "a.b-c", "../a", "secretRef.name"},
		"secret-key-most":       {with(`settingsFrom: [{as: a, secretRef: {name: s, key: %s}}]`), x(253), x(254), "secretRef.key"},
		"secret-key-form":       {with(`settingsFrom: [{as: a, secretRef: {name: s, key: %q}}]`), "tls.key_1-A", "a/b", "secretRef.key"},
		"settings-kind":         {with(`settings: %s`), "{}", "text", "spec.settings"},
		"resources-most":        {with(`security: {allowedResources: %s}`), list(128, "r%d"), list(129, "r%d"), "spec.security.allowedResources"},
		"resources-twice":       {with(`security: {allowedResources: [a, %s]}`), "b", "a", "spec.security.allowedResources"},
		"resource-most":         {with(`security: {allowedResources: [%s]}`), x(317), x(318), "spec.security.allowedResources"},
		"resource-least":        {with(`security: {allowedResources: [%q]}`), "x", "", "spec.security.allowedResources"},
		"verb-least":            {with(`security: {allowedVerbs: [%q]}`), "get", "", "spec.security.allowedVerbs"},
		"verb-any":              {with(`security: {allowedVerbs: [%s]}`), "get, list, watch, create, update, patch, delete", `"*"`, "spec.security.allowedVerbs"},
		"namespaces-most":       {with(`security: {allowedNamespaces: %s}`), list(128, "n%d"), list(129, "n%d"), "spec.security.allowedNamespaces"},
		"namespaces-twice":      {with(`security: {allowedNamespaces: [a, %s]}`), "b", "a", "spec.security.allowedNamespaces"},
		"namespace-most":        {with(`security: {allowedNamespaces: [%s]}`), x(63), x(64), "spec.security.allowedNamespaces"},
		"namespace-least":       {with(`security: {allowedNamespaces: [%q]}`), "x", "", "spec.security.allowedNamespaces"},
		"hosts-most":            {with(`security: {allowedHosts: %s}`), list(64, "h%d.example.com"), list(65, "h%d.example.com"), "spec.security.allowedHosts"},
		"hosts-twice":           {with(`security: {allowedHosts: [a, %s]}`), "b", "a", "spec.security.allowedHosts"},
		"host-most":             {with(`security: {allowedHosts: ["%s:65535"]}`), x(253), x(254), "spec.security.allowedHosts"},
		"host-least":            {with(`security: {allowedHosts: [%q]}`), "x", "", "spec.security.allowedHosts"},
		"host-below":            {with(`security: {allowedHosts: [%q]}`), "*.a.example:8443", "*", "spec.security.allowedHosts"},
		"host-below-top":        {with(`security: {allowedHosts: [%q]}`), "*.example.com", "*.com", "spec.security.allowedHosts"},
		"host-within":           {with(`security: {allowedHosts: [%q]}`), "a_b.example", "a.*.example", "spec.security.allowedHosts"},
		"host-case":             {with(`security: {allowedHosts: [%q]}`), "xn--bcher-kva.example", "Example.com", "spec.security.allowedHosts"},
		"host-address":          {with(`security: {allowedHosts: [%q]}`), "192.0.2.1:80", "192.0.2.0/24", "spec.security.allowedHosts"},
		"host-address6":         {with(`security: {allowedHosts: [%q]}`), "[2001:db8::1]:80", "2001:db8::1", "spec.security.allowedHosts"},
		"host-port-most":        {with(`security: {allowedHosts: ["a:%d"]}`), 65535, 65536, "spec.security.allowedHosts"},
		"host-port-least":       {with(`security: {allowedHosts: ["a:%d"]}`), 1, 0, "spec.security.allowedHosts"},
		"host-url":              {with(`security: {allowedHosts: [%q]}`), "example.com", "https://example.com", "spec.security.allowedHosts"},
		"requests-least":        {with(`security: {maxConcurrentRequests: %d}`), 1, 0, "spec.security.maxConcurrentRequests"},
		"requests-most":         {with(`security: {maxConcurrentRequests: %d}`), 1000, 1001, "spec.security.maxConcurrentRequests"},
		"rate-least":            {with(`security: {requestsPerSecond: %d}`), 1, 0, "spec.security.requestsPerSecond"},
		"rate-most":             {with(`security: {requestsPerSecond: %d}`), 100000, 100001, "spec.security.requestsPerSecond"},
		"burst-least":           {with(`security: {requestsPerSecond: 5, burst: %d}`), 1, 0, "spec.security.burst"},
		"burst-most":            {with(`security: {requestsPerSecond: 5, burst: %d}`), 200000, 200001, "spec.security.burst"},
		"burst-without-rate":    {with(`security: {%s: 5}`), "requestsPerSecond", "burst", "burst goes with requestsPerSecond"},
		"memory-least":          {with(`runtime: {memoryPages: %d}`), 1, 0, "spec.runtime.memoryPages"},
		"memory-most":           {with(`runtime: {maxMemoryPages: 65536, memoryPages: %d}`), 65536, 65537, "spec.runtime.memoryPages"},
		"memory-most-unsaid":    {with(`runtime: {memoryPages: %d}`), 1024, 1025, "spec.runtime"},
		"memory-limit-least":    {with(`runtime: {maxMemoryPages: %d}`), 1, 0, "spec.runtime.maxMemoryPages"},
		"memory-limit-most":     {with(`runtime: {maxMemoryPages: %d}`), 65536, 65537, "spec.runtime.maxMemoryPages"},
		"timeout-least":         {with(`runtime: {timeoutSeconds: %d}`), 1, 0, "spec.runtime.timeoutSeconds"},
		"timeout-most":          {with(`runtime: {timeoutSeconds: %d}`), 300, 301, "spec.runtime.timeoutSeconds"},
		"instances-least":       {with(`runtime: {maxInstances: %d}`), 1, 0, "spec.runtime.maxInstances"},
		"instances-most":        {with(`runtime: {maxInstances: %d}`), 64, 65, "spec.runtime.maxInstances"},
		"idle-least":            {with(`runtime: {idleSeconds: %d}`), 0, -1, "spec.runtime.idleSeconds"},
		"idle-most":             {with(`runtime: {idleSeconds: %d}`), 86400, 86401, "spec.runtime.idleSeconds"},
		"fuel-least":            {with(`runtime: {fuel: %d}`), 1000, 999, "spec.runtime.fuel"},
		"fuel-most":             {with(`runtime: {fuel: %d}`), int64(1e15), int64(1e15 + 1), "spec.runtime.fuel"},
		"instance-policy":       {with(`runtime: {instancePolicy: %s}`), "PerCall", "Forever", "spec.runtime.instancePolicy"},
		"suspend-kind":          {with(`suspend: %v`), true, `"yes"`, "spec.suspend"},
		"label-selector-values": {with(`forTypes: [{apiVersion: v1, kind: K, labelSelector: {matchLabels: {a: %s}}}]`), "b", "[b]", "labelSelector"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := create(t, env, ns, name, tc.spec(tc.in)); err != nil {
				t.Errorf("%.80v is rejected: %v", tc.in, err)
			}
			if err := create(t, env, ns, name+"-out", tc.spec(tc.out)); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tc.field) {
				t.Errorf("%.80v: got %v, want it rejected for %s", tc.out, err, tc.field)
			}
		})
	}
}

// TestWasmPlugin_listsThroughUpdates writes security lists with the typed client, from absent to empty and back. An
// absent list means everything and an empty one means nothing.
func TestWasmPlugin_listsThroughUpdates(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	wp := &pluginsv1alpha1.WasmPlugin{
		ObjectMeta: metav1.ObjectMeta{Namespace: env.Namespace(t), Name: "lists"},
		Spec:       pluginsv1alpha1.WasmPluginSpec{Source: pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: "a"}}},
	}
	if err := env.Client.Create(t.Context(), wp); err != nil {
		t.Fatal(err)
	}
	kinds := func(s pluginsv1alpha1.Security) (lists [3]string) {
		for i, l := range []any{s.AllowedResources, s.AllowedVerbs, s.AllowedNamespaces} {
			lists[i] = strings.SplitAfterN(fmt.Sprintf("%#v", l), "{", 2)[0] // distinguishes nil from empty
		}
		return lists
	}
	for _, s := range []pluginsv1alpha1.Security{
		{AllowedResources: []string{}, AllowedVerbs: []pluginsv1alpha1.Verb{}, AllowedNamespaces: []string{}},
		{},
		{AllowedVerbs: []pluginsv1alpha1.Verb{}},
		{AllowedResources: []string{"items"}, AllowedNamespaces: []string{}},
	} {
		wp.Spec.Security = s
		if err := env.Client.Update(t.Context(), wp); err != nil {
			t.Fatal(err)
		}
		var got pluginsv1alpha1.WasmPlugin
		if err := env.Client.Get(t.Context(), client.ObjectKeyFromObject(wp), &got); err != nil {
			t.Fatal(err)
		}
		if kinds(got.Spec.Security) != kinds(s) {
			t.Errorf("wrote %#v, read %#v", s, got.Spec.Security)
		}
		wp = &got
	}
}
