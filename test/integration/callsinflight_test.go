// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestOperator_callsInFlight checks that a change of many plugins whose calls do not end does not delay the plugins of
// others, and that a deleted or suspended plugin ends its calls.
func TestOperator_callsInFlight(t *testing.T) {
	// The maximum that the API allows, which is longer than the test waits.
	const timeout = 300
	o := startOperator(t, func(options *app.Options) { options.Limits.MaxTimeout = timeout * time.Second })
	for name, change := range map[string]func(*testing.T, tenant, string){
		"delete": func(t *testing.T, n tenant, name string) { n.deletePlugin(t, name) },
		"suspend": func(t *testing.T, n tenant, name string) {
			n.change(t, name, func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = true })
		},
		"other watches": func(t *testing.T, n tenant, name string) {
			n.change(t, name, func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Runtime.MaxInstances = 7
			})
		},
		"another account": func(t *testing.T, n tenant, name string) {
			n.change(t, name, func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = "gone" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			slow := newTenant(t, o.env, rule("categories", "get", "list", "watch"), rbacv1.PolicyRule{
				APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create"},
			})
			slow.category(t, "tools")
			plugins := make([]string, 12) // more than the operator reconciles at once
			for i := range plugins {
				plugins[i] = fmt.Sprintf("stayer-%d", i)
				slow.Store(t, plugins[i], localFixture(t, "stayer.wasm"))
				slow.Plugin(t, plugins[i], func(s *pluginsv1alpha1.WasmPluginSpec) {
					s.Runtime.TimeoutSeconds = timeout
					s.Settings = &runtime.RawExtension{Raw: fmt.Appendf(nil, `{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","namespace":%q,"name":"tools","type":"Normal","reason":"Entered","message":%q}`, slow.NS, plugins[i])}
				})
			}
			for _, plugin := range plugins {
				slow.expectEntered(t, plugin)
			}
			for _, plugin := range plugins {
				change(t, slow, plugin)
			}
			quick := newTenant(t, o.env, annotatorRules()...)
			quick.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
			quick.Plugin(t, "annotator")
			quick.ExpectReady(t, "annotator")
		})
	}
}

// expectEntered waits until a plugin of stayer.wasm has emitted its Event.
func (n tenant) expectEntered(t *testing.T, plugin string) {
	t.Helper()
	testenv.Eventually(t, plugin+" is called", func(context.Context) error {
		var seen []string
		for _, e := range n.events(t) {
			seen = append(seen, e.Reason+": "+e.Message)
			if e.Reason == "Entered" && strings.Contains(e.Message, plugin) {
				return nil
			}
		}
		return fmt.Errorf("there are only %q", seen)
	})
}
