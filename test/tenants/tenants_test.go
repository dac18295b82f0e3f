// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/table"
)

// pluginNames are the plugins of each tenant that do tricks.
var pluginNames = []string{plain, listed, wide}

// No plugin can do anything to another tenant, whichever of two tenants tries it. The guest gets an error that names
// the layer that denied the request, the audit log has a record of it, and the objects of the other tenant are
// unchanged.
func TestTenants(t *testing.T) {
	began := time.Now()
	o := startOperator(t)
	a, b := newTenants(t, o.env)
	server := apiServer(t, o.env)
	for _, pair := range [][2]tenant{{a, b}, {b, a}} {
		n, neighbor := pair[0], pair[1]
		n.plugin(t, plain, "Item")
		n.plugin(t, listed, "Item", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Security.AllowedResources = []string{"items.inventory.example.com", "secrets"}
			s.Security.AllowedVerbs = []pluginsv1alpha1.Verb{"get", "list", "create", "patch"}
		})
		n.plugin(t, wide, "Category", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.ServiceAccountName = wide
			s.Security.AllowedNamespaces = []string{n.NS, neighbor.NS}
			s.Security.AllowedHosts = []string{server, "169.254.169.254", "127.0.0.1:8081", "[::ffff:7f00:1]:8443"}
		})
	}
	a.ExpectReady(t, pluginNames...)
	b.ExpectReady(t, pluginNames...)
	t.Logf("ready after %s", time.Since(began))

	var tricks []trick
	for _, file := range []string{"reads.yaml", "writes.yaml", "escalation.yaml", "events.yaml"} {
		tricks = append(tricks, table.Read[trick](t, file)...)
	}
	before := snapshot(t, a, b)
	attempts := []*attempt{}
	for _, pair := range [][2]tenant{{a, b}, {b, a}} {
		values := valuesFor(t, pair[0], pair[1], server)
		for i, x := range tricks {
			tried := &attempt{trick: x, by: pair[0], target: pair[1], values: values, id: fmt.Sprintf("%04d", i)}
			pair[0].carrier(t, x.Plugin, tried.id, call{x.Function, fill(x.Request, values), x.Times})
			attempts = append(attempts, tried)
		}
	}
	for _, x := range attempts {
		testenv.Eventually(t, "an answer to "+x.Name, func(context.Context) error { return x.answer(o) })
	}
	t.Logf("%d tricks are answered after %s", len(attempts), time.Since(began))
	after := snapshot(t, a, b)
	o.end(t) // which writes the remaining records

	records := o.records(t)
	for _, x := range attempts {
		t.Run(x.by.NS+"/"+x.Name, func(t *testing.T) { x.evaluate(t, records) })
	}
	for _, pair := range [][2]tenant{{a, b}, {b, a}} {
		for _, name := range pluginNames {
			for _, line := range o.everything(pair[0].NS + "/" + name) {
				if containsLoot(line, pair[1]) {
					t.Errorf("plugin %s of %s knows what is private to %s: %s", name, pair[0].NS, pair[1].NS, line)
				}
			}
		}
	}
	compare(t, before, after, a, b)
	t.Logf("all of it took %s", time.Since(began))
}

// attempt is a trick of one tenant against another.
type attempt struct {
	trick
	by, target tenant
	values     map[string]string
	// id is the name of the object that carries the trick.
	id    string
	reply string
}

// answer finds the reply in the messages that the plugin has logged.
func (x *attempt) answer(o *operator) error {
	output := o.everything(x.by.NS + "/" + x.Plugin)
	for _, line := range output {
		if reply, ok := strings.CutPrefix(line, x.id); ok {
			x.reply = reply
			return nil
		}
	}
	return fmt.Errorf("there is none in %d lines", len(output))
}

// evaluate compares the reply and the audit log with the expected ones.
func (x *attempt) evaluate(t *testing.T, records map[string]map[string]int) {
	t.Helper()
	kind, text := x.reply[:1], x.reply[1:]
	if want := map[bool]string{true: "O", false: "E"}[x.Harmless]; kind != want {
		t.Errorf("the reply is of kind %s, want %s: %s", kind, want, text)
	}
	for _, part := range x.Want {
		if part = fill(part, x.values); !strings.Contains(text, part) {
			t.Errorf("the reply has no %q: %s", part, text)
		}
	}
	recorded := records[x.by.NS+"/"+x.Plugin]
	if line := fill(x.Record, x.values); line != "" && recorded[line] == 0 {
		t.Errorf("the audit log has no %q; it has\n%s", line, strings.Join(slices.Sorted(maps.Keys(recorded)), "\n"))
	}
}

// valuesFor returns the values for the names in braces.
func valuesFor(t *testing.T, own, other tenant, server string) map[string]string {
	t.Helper()
	var mine, theirs inventoryv1alpha1.Item
	var namespace corev1.Namespace
	for key, o := range map[client.ObjectKey]client.Object{
		{Namespace: own.NS, Name: privateName}: &mine, {Namespace: other.NS, Name: privateName}: &theirs, {Name: other.NS}: &namespace,
	} {
		own.Get(t, key, o)
	}
	from := func(start string) string {
		token, err := json.Marshal(map[string]any{"v": "meta.k8s.io/v1", "rv": -1, "start": start})
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(token)
	}
	return map[string]string{
		"own": own.NS, "other": other.NS, "OTHER": strings.ToUpper(other.NS), "server": server,
		"uid": string(theirs.UID), "version": theirs.ResourceVersion, "ownUID": string(mine.UID), "namespaceUID": string(namespace.UID),
		"continueOther": from("a\x00"), "continueAll": from(other.NS + "/a\x00"), "continueUp": from("../" + other.NS + "/a\x00"),
		"many": strings.Repeat("x,", 20_000),
	}
}

// apiServer returns host:port of the API server.
func apiServer(t *testing.T, env *testenv.Env) string {
	t.Helper()
	u, err := url.Parse(env.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	if u.Host == "" {
		return env.Config.Host
	}
	return u.Host
}

// containsLoot reports whether a text contains private data of a tenant, as text or in base64.
func containsLoot(text string, n tenant) bool {
	return strings.Contains(text, n.content()) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(n.content())))
}
