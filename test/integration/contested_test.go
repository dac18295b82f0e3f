// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// warningRecorder collects the warnings that a client receives.
type warningRecorder struct {
	mu   sync.Mutex
	text string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warningRecorder) HandleWarningHeader(_ int, _ string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text += text + "\n"
}

// take returns the warnings and removes them.
func (w *warningRecorder) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.text = "" }()
	return w.text
}

// TestOperator_admission_contested checks two plugins that set the same field: the client that sends the request
// receives a warning, each plugin has an Event, and neither of them names a plugin of another namespace.
func TestOperator_admission_contested(t *testing.T) {
	address := testenv.FreeAddress(t)
	o := startOperator(t, servesWebhooks(address))
	shop, other := newTenant(t, o.env, gateRules()...), newTenant(t, o.env, gateRules()...)
	shop.Create(t, testenv.Binding(shop.NS, "other", "plugin", testenv.AccountSubject(other.NS, "plugin")))
	shop.Store(t, "gate-of-shop", localFixture(t, "gate.wasm"))
	shop.Plugin(t, "gate-of-shop", selects("a"))
	other.Store(t, "gate-of-other", localFixture(t, "gate.wasm"))
	other.Plugin(t, "gate-of-other", selects("b"), func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedNamespaces = []string{shop.NS} })
	shop.ExpectReady(t, "gate-of-shop")
	other.ExpectReady(t, "gate-of-other")

	message := &warningRecorder{}
	config := rest.CopyConfig(o.env.Config)
	config.WarningHandler = message
	c, err := client.New(config, client.Options{Scheme: o.env.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "a warning", func(ctx context.Context) error {
		return contest(ctx, c, message, shop)
	})
	for name, n := range map[string]tenant{"gate-of-shop": shop, "gate-of-other": other} {
		n.expectEvent(t, name, "FieldContested", "spec.category of Item.inventory.example.com is also set by a plugin of another namespace")
		for _, e := range n.events(t) {
			if e.Reason == "FieldContested" && (strings.Contains(e.Message, "gate-of-") || strings.Contains(e.Message, shop.NS) || strings.Contains(e.Message, other.NS)) {
				t.Errorf("the event names a plugin of another namespace: %s", e.Message)
			}
		}
	}

	// Events name plugins of the same namespace.
	yard := newTenant(t, o.env, gateRules()...)
	yard.Store(t, "gate-one", localFixture(t, "gate.wasm"))
	yard.Plugin(t, "gate-one", selects("a"))
	yard.Store(t, "gate-two", localFixture(t, "gate.wasm"))
	yard.Plugin(t, "gate-two", selects("b"))
	yard.ExpectReady(t, "gate-one")
	yard.ExpectReady(t, "gate-two")
	testenv.Eventually(t, "a warning", func(ctx context.Context) error {
		return contest(ctx, c, message, yard)
	})
	yard.expectEvent(t, "gate-one", "FieldContested", `is also set by plugin "gate-two"`)
	yard.expectEvent(t, "gate-two", "FieldContested", `is also set by plugin "gate-one"`)
}

// contest sends requests that both plugins default, and returns an error unless there is a warning. The plugin gate
// sets only an unset field, so where both match, the one that is called first sets it.
func contest(ctx context.Context, c client.Client, message *warningRecorder, n tenant) error {
	message.take()
	for _, labels := range []map[string]string{{"a": "yes"}, {"a": "yes", "b": "yes"}, {"b": "yes"}, {"a": "yes", "b": "yes"}} {
		item := &inventoryv1alpha1.Item{ObjectMeta: n.Meta("tried"), Spec: inventoryv1alpha1.ItemSpec{Name: "good"}}
		item.Labels = labels
		if err := c.Create(ctx, item, client.DryRunAll); err != nil {
			return err
		}
	}
	text := message.take()
	switch {
	case strings.Contains(text, "gate-"):
		return fmt.Errorf("the warning names a plugin: %s", text)
	case !strings.Contains(text, "spec.category is also set by another plugin"):
		return fmt.Errorf("there is none in %q", text)
	}
	return nil
}

// selects makes a plugin match only objects that have the given label.
func selects(label string) func(*pluginsv1alpha1.WasmPluginSpec) {
	return func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Admission.ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{label: "yes"}}
	}
}
