// SPDX-License-Identifier: Apache-2.0

//go:build !race

// The race detector needs several times the memory that this test limits.

package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

const (
	// chartMemory is the memory limit of the Helm chart, in bytes.
	chartMemory = 1 << 30
	// attackers is how many plugins of one attack module run at the same time.
	attackers = 4
	// longestPause is the limit of the CPU time between two heartbeats. It is far above the measured values, because
	// machines differ.
	longestPause = 2 * time.Second
	// longestRequest is the timeout of a webhook, in seconds, after which the API server fails the request. It is the
	// maximum that the API allows.
	longestRequest = 30
	// requestCount is how many requests are measured at a time. The 99th percentile is the fifth slowest of them.
	requestCount = 500
)

// attackModules returns modules that once kept the operator busy, exhausted its memory, or blocked all of its workers.
func attackModules(t *testing.T) map[string][]byte {
	t.Helper()
	modules := map[string][]byte{
		"schema-doubling": withSchema(t, hostileFixture(t, "neighbor.wasm")),
		"phis-nested":     rotatingModule(10_000, 300),
		"phis-few":        rotatingModule(1000, 100),
	}
	for _, name := range []string{
		"error_causes", "error_causes_metadata", "path_open_long", "poll_stdin_many", "http_headers", "initialize_sleep",
	} {
		modules[strings.ReplaceAll(name, "_", "-")] = hostileFixture(t, name+".wasm")
	}
	return modules
}

// TestOperator_attacks checks that the operator stays within the memory limit of the chart whatever the modules of a
// tenant do, alone and all at the same time, and that the plugins of another tenant load and serve.
func TestOperator_attacks(t *testing.T) {
	group := newCgroup(t, chartMemory)
	webhooks, heart := testenv.FreeAddress(t), testenv.FreeAddress(t)
	o := startProcessWith(t, func(a *processArguments) { a.Webhooks, a.Pulse = webhooks, heart }, group.run())
	shop := newTenant(t, o.env, append(gateRules(), annotatorRules()...)...)
	shop.Store(t, "gate", localFixture(t, "gate.wasm"))
	shop.Plugin(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Admission.TimeoutSeconds = longestRequest })
	shop.ExpectReady(t, "gate")
	shop.expectGate(t)
	shop.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	pulse(t, heart)
	undisturbed, _ := shop.requests(t)
	t.Logf("undisturbed: requests p99 %s, longest pause %s", undisturbed, pulse(t, heart).elapsed)

	attack := func(name string, modules map[string][]byte, copies int) {
		t.Run(name, func(t *testing.T) {
			evil := newTenant(t, o.env, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list", "watch"}})
			var plugins []string
			for module, bytes := range modules {
				for i := range copies {
					plugins = append(plugins, fmt.Sprintf("%s-%d", module, i))
					evil.Store(t, plugins[len(plugins)-1], bytes)
					evil.Plugin(t, plugins[len(plugins)-1], func(s *pluginsv1alpha1.WasmPluginSpec) { s.Runtime.TimeoutSeconds = 60 })
				}
			}
			for i := range 8 {
				evil.Create(t, &corev1.ConfigMap{ObjectMeta: evil.Meta(fmt.Sprintf("victim-%d", i))})
			}
			began := time.Now()
			shop.Plugin(t, "annotator")
			shop.ExpectReady(t, "annotator")
			ready := time.Since(began)
			p99, slowest := shop.requests(t) // which fail if they take too long
			longest := pulse(t, heart)
			t.Logf("neighbor's plugin Ready after %s, requests p99 %s (%.1f times), at most %s, longest pause %s (%s busy), memory at most %d MiB",
				ready.Round(time.Millisecond), p99, float64(p99)/float64(undisturbed), slowest, longest.elapsed, longest.busy, group.peakMemory()>>20)
			if longest.busy > longestPause {
				t.Errorf("the operator stood still for %s of its processor time", longest.busy)
			}
			for _, name := range append(plugins, "annotator") {
				in := evil
				if name == "annotator" {
					in = shop
				}
				in.deletePlugin(t, name)
				in.expectPluginDeleted(t, name)
			}
		})
	}
	modules := attackModules(t)
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		attack(name, map[string][]byte{name: modules[name]}, attackers)
	}
	attack("all at once", modules, 1)
	again, _ := shop.requests(t)
	t.Logf("undisturbed: requests p99 %s before and %s after the attacks", undisturbed, again)
	if err := o.command.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the operator is gone: %v", err)
	}
}

// requests sends requests that the plugin gate handles, and returns the 99th percentile and the maximum of their
// durations.
func (n tenant) requests(t *testing.T) (p99, slowest time.Duration) {
	t.Helper()
	took := make([]time.Duration, requestCount)
	for i := range took {
		start := time.Now()
		if category, err := n.try(t.Context(), "good"); err != nil || category != "gated" {
			t.Fatalf("a request: category %q, %v", category, err)
		}
		took[i] = time.Since(start).Round(10 * time.Microsecond)
	}
	slices.Sort(took)
	return took[len(took)*99/100], took[len(took)-1]
}

// withSchema adds metadata to a module whose JSON schema doubles in size with each of its references.
func withSchema(t *testing.T, module []byte) []byte {
	t.Helper()
	defs := map[string]any{"a40": map[string]string{"type": "object"}}
	for i := range 40 {
		next := map[string]string{"$ref": fmt.Sprintf("#/$defs/a%d", i+1)}
		defs[fmt.Sprintf("a%d", i)] = map[string]any{"allOf": []any{next, next}}
	}
	text, err := json.Marshal(map[string]any{
		"name": "schema", "version": "1", "capabilities": []string{"reconcile"},
		"forTypes":     []metav1.TypeMeta{{APIVersion: "v1", Kind: "ConfigMap"}},
		"configSchema": map[string]any{"$ref": "#/$defs/a0", "$defs": defs},
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(slices.Clone(module), section(0, named("k1s.metadata", text...))...)
}

// rotatingModule returns a plugin whose function reconcile rotates the values of the given number of locals inside the
// given number of nested loops. The work of the compiler is more than the product of both numbers.
func rotatingModule(locals, loops int) []byte {
	body := append(append([]byte{1}, unsigned(locals)...), 0x7f) // locals of i32
	body = append(body, slices.Repeat([]byte{0x03, 0x40}, loops)...)
	for i := range locals {
		body = append(append(body, 0x20), unsigned(2+(i+1)%locals)...) // local.get
		body = append(append(body, 0x21), unsigned(2+i)...)            // local.set
	}
	body = append(body, slices.Repeat([]byte{0x20, 0, 0x0d, 0, 0x0b}, loops)...) // local.get 0, br_if 0, end
	body = append(body, 0x42, 0, 0x0b)                                           // i64.const 0, end
	metadata := []byte(`{"name":"phis","version":"1","capabilities":["reconcile"],"forTypes":[{"apiVersion":"v1","kind":"ConfigMap"}]}`)
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte{3, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7e}),
		section(3, []byte{3, 0, 1, 2}),
		section(5, []byte{1, 0, 2}),
		section(7, slices.Concat([]byte{4}, named("memory", 2, 0), named("k1s_abi_version", 0, 0), named("k1s_alloc", 0, 1), named("reconcile", 0, 2))),
		section(10, slices.Concat([]byte{3, 4, 0, 0x41, 1, 0x0b, 6, 0, 0x41, 0x80, 0x80, 0x04, 0x0b}, unsigned(len(body)), body)),
		section(0, named("k1s.metadata", metadata...)))
}

func section(id byte, body []byte) []byte {
	return slices.Concat([]byte{id}, unsigned(len(body)), body)
}

func named(name string, rest ...byte) []byte {
	return slices.Concat(unsigned(len(name)), []byte(name), rest)
}

// unsigned returns a number in unsigned LEB128.
func unsigned(n int) []byte {
	var out []byte
	for ; n >= 0x80; n >>= 7 {
		out = append(out, byte(n)|0x80)
	}
	return append(out, byte(n))
}
