// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// hostileFixture returns a module of the hostile tests.
func hostileFixture(t *testing.T, name string) []byte {
	t.Helper()
	return testfile.Read(t, testenv.Root(), "test", "hostile", "testdata", name)
}

// deletePlugin deletes a WasmPlugin.
func (n tenant) deletePlugin(t *testing.T, name string) {
	t.Helper()
	n.delete(t, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta(name)})
}

func (n tenant) expectPluginDeleted(t *testing.T, name string) {
	t.Helper()
	testenv.Eventually(t, "WasmPlugin "+name+" is gone", func(ctx context.Context) error {
		if _, err := n.GetPlugin(ctx, name); !apierrors.IsNotFound(err) {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
}

// TestOperator_limits checks that the limits of the administrator are enforced, with a condition that names the flag,
// and that they are enforced again after a restart.
func TestOperator_limits(t *testing.T) {
	o := startOperator(t, pollsOften, func(options *app.Options) {
		options.Limits.MaxMemoryPages, options.Limits.MaxNamespacePlugins = 512, 2
	})
	shop := newTenant(t, o.env, annotatorRules()...)
	for _, name := range []string{"first", "second", "third"} {
		shop.Store(t, name, conformanceFixture(t, "annotator.wasm"))
	}
	shop.Plugin(t, "first")
	shop.ExpectReady(t, "first")
	shop.Plugin(t, "second", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Runtime.MaxMemoryPages = 513 })
	exceeds := func(name string, parts ...string) {
		t.Helper()
		shop.ExpectCondition(t, name, pluginsv1alpha1.ConditionVerified, metav1.ConditionFalse, pluginsv1alpha1.ReasonLimitExceeded, parts...)
	}
	exceeds("second", "spec.runtime.maxMemoryPages is 513", "--max-memory-pages")
	shop.Plugin(t, "third")
	exceeds("third", "--max-namespace-plugins")
	o.end(t)
	o.start(t)
	shop.ExpectReady(t, "first")
	exceeds("third", "--max-namespace-plugins")
	shop.change(t, "second", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Runtime.MaxMemoryPages = 512 })
	shop.ExpectReady(t, "second")
	shop.deletePlugin(t, "first")
	shop.ExpectReady(t, "third")
}

// TestOperator_loads_fair checks that plugins of one namespace that use their whole initialization timeout do not keep
// those of another namespace from loading, and that they can be suspended and deleted meanwhile.
func TestOperator_loads_fair(t *testing.T) {
	const forEver = time.Hour
	o := startOperator(t, func(options *app.Options) {
		options.Limits.InitializeTimeout, options.Limits.MaxTimeout = forEver, forEver
	})
	slow, neighbor := newTenant(t, o.env, annotatorRules()...), newTenant(t, o.env, annotatorRules()...)
	const plugins = 8
	name := func(i int) string { return fmt.Sprintf("sleeper-%d", i) }
	for i := range plugins {
		slow.Store(t, name(i), hostileFixture(t, "initialize_sleep.wasm"))
		slow.Plugin(t, name(i), func(s *pluginsv1alpha1.WasmPluginSpec) { s.Runtime.TimeoutSeconds = 300 })
	}
	neighbor.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	neighbor.Plugin(t, "annotator")
	neighbor.ExpectReady(t, "annotator")
	neighbor.category(t, "tools")
	neighbor.expectAnnotated(t, "tools")
	for i := range plugins {
		slow.change(t, name(i), func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = true })
		slow.ExpectCondition(t, name(i), pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonSuspended)
		slow.change(t, name(i), func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = false })
	}
	for i := range plugins {
		slow.deletePlugin(t, name(i))
		slow.expectPluginDeleted(t, name(i))
	}
	slow.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	slow.Plugin(t, "annotator")
	slow.ExpectReady(t, "annotator")
}
