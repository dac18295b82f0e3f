// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/table"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// The author of a WasmPlugin cannot refer to anything of another tenant in it.
func TestTenants_specs(t *testing.T) {
	o := startOperator(t)
	a, b := newTenants(t, o.env)
	b.plugin(t, plain, "Item") // so that its module and the kind's informer are there
	b.ExpectReady(t, plain)
	const authorized, fetched = pluginsv1alpha1.ConditionAuthorized, pluginsv1alpha1.ConditionFetched
	account := func(name string) func(*pluginsv1alpha1.WasmPluginSpec) {
		return func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = name }
	}
	module := func(name string) func(*pluginsv1alpha1.WasmPluginSpec) {
		return func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source.ConfigMap.Name = name }
	}
	namespaces := func(names ...string) func(*pluginsv1alpha1.WasmPluginSpec) {
		return func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedNamespaces = names }
	}
	secret := func(name string) func(*pluginsv1alpha1.WasmPluginSpec) {
		return func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.SettingsFrom = []pluginsv1alpha1.SettingSource{{As: "password", SecretRef: pluginsv1alpha1.SecretKeyReference{Name: name, Key: "password"}}}
		}
	}
	for name, tc := range map[string]struct {
		kind              string
		mutate            func(*pluginsv1alpha1.WasmPluginSpec)
		condition, reason string
		want              string
	}{
		"other-namespace":  {"Item", namespaces(a.NS, b.NS), authorized, pluginsv1alpha1.ReasonAccountForbidden, fmt.Sprintf("items.inventory.example.com in namespace %q", b.NS)},
		"every-namespace":  {"Item", namespaces("*"), authorized, pluginsv1alpha1.ReasonAccountForbidden, "in all namespaces"},
		"module-of-other":  {"Item", module("module-plain"), fetched, pluginsv1alpha1.ReasonConfigMapNotFound, fmt.Sprintf("does not exist in namespace %q", a.NS)},
		"secret-no-right":  {"Item", secret(privateName), pluginsv1alpha1.ConditionSettingsValid, pluginsv1alpha1.ReasonSecretForbidden, fmt.Sprintf("cannot get secrets [%q] in namespace %q", privateName, a.NS)},
		"watch-secrets":    {"Secret", nil, authorized, pluginsv1alpha1.ReasonOperatorForbidden, "the operator itself cannot list secrets"},
		"watch-configmaps": {"ConfigMap", nil, authorized, pluginsv1alpha1.ReasonAccountForbidden, fmt.Sprintf("list and watch configmaps in namespace %q", a.NS)},
		"watch-no-account": {"Item", account("default"), authorized, pluginsv1alpha1.ReasonAccountForbidden, fmt.Sprintf("list and watch items.inventory.example.com in namespace %q", a.NS)},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.mutate == nil {
				tc.mutate = func(*pluginsv1alpha1.WasmPluginSpec) {}
			}
			a.plugin(t, name, tc.kind, tc.mutate)
			a.ExpectCondition(t, name, tc.condition, metav1.ConditionFalse, tc.reason, tc.want)
		})
	}
	for name, tc := range map[string]struct {
		mutate func(*pluginsv1alpha1.WasmPluginSpec)
		want   string
	}{
		"file-up": {func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Source = pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "../compiled/module.wasm"}}
		}, "path must be relative"},
		"secret-up":      {secret("../../" + b.NS + "/secrets/" + privateName), "should match"},
		"namespace-path": {namespaces(a.NS + "/" + b.NS), "should match"},
		"account-up":     {account("../" + b.NS + "/admin"), "should match"},
		"account-below":  {account(b.NS + "/admin"), "should match"},
		"account-colon":  {account(b.NS + ":admin"), "should match"},
		"account-user":   {account("system:serviceaccount:" + b.NS + ":admin"), "should match"},
		"module-up":      {module("../../" + b.NS + "/configmaps/module-plain"), "should match"},
		"module-below":   {module(b.NS + "/module-plain"), "should match"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := a.Client.Create(t.Context(), a.WasmPlugin(name, a.doesTricks(name, "Item"), tc.mutate)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want that the API server denies it: %q", err, tc.want)
			}
		})
	}
}

// A module that changes while its digest is pinned is rejected, and the pinned module keeps serving.
func TestTenants_moduleSwapped(t *testing.T) {
	o := startOperator(t)
	a, b := newTenants(t, o.env)
	module := testfile.Read(t, "testdata", "trickster.wasm")
	a.plugin(t, plain, "Item", func(s *pluginsv1alpha1.WasmPluginSpec) { s.SHA256 = string(plugin.DigestOf(module)) })
	a.ExpectReady(t, plain)
	swapped := []byte(strings.Replace(string(module), `"version":"1.0.0"`, `"version":"6.6.6"`, 1))
	a.Store(t, "module-"+plain, swapped)
	a.ExpectCondition(t, plain, pluginsv1alpha1.ConditionVerified, metav1.ConditionFalse, pluginsv1alpha1.ReasonDigestMismatch, "spec.sha256 pins")
	var wp pluginsv1alpha1.WasmPlugin
	a.Get(t, client.ObjectKey{Namespace: a.NS, Name: plain}, &wp)
	if r := wp.Status.Revision; r == nil || r.Version != "1.0.0" || r.Digest != plugin.DigestOf(module).String() {
		t.Errorf("what serves is %+v", r)
	}
	if reply := a.try(t, o, plain, "0001", call{Function: "get", Request: fill[table.JSON](`{`+itemOf+`,`+otherKey+`}`, map[string]string{"other": b.NS})}); !strings.Contains(reply, "allowlist: ") {
		t.Errorf("the pinned module answers %s", reply)
	}
}

// A revoked permission takes effect for reads that the cache would answer, and for Events. TestRevocation in
// internal/access tests how long each way of revoking takes.
func TestTenants_revoked(t *testing.T) {
	o := startOperator(t)
	a, _ := newTenants(t, o.env)
	a.CreateAccount(t, "reader", rbacv1.PolicyRule{APIGroups: []string{"inventory.example.com"}, Resources: []string{"items"}, Verbs: []string{"list", "watch"}})
	a.GrantRole(t, "getter", testenv.AccountSubject(a.NS, "reader"),
		rbacv1.PolicyRule{APIGroups: []string{"inventory.example.com"}, Resources: []string{"items"}, Verbs: []string{"get"}})
	a.plugin(t, plain, "Item", func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = "reader" })
	a.ExpectReady(t, plain)
	read := call{Function: "get", Request: fill[table.JSON](`{`+itemOf+`,`+ownKey+`}`, map[string]string{"own": a.NS})}
	if reply := a.try(t, o, plain, "0000", read); !strings.Contains(reply, a.content()) {
		t.Fatalf("with the right, the plugin reads %s", reply)
	}

	a.Delete(t, &rbacv1.RoleBinding{ObjectMeta: a.Meta("getter")})
	deleted := time.Now()
	tries := 0
	testenv.Eventually(t, "a read of the cache is denied", func(context.Context) error {
		tries++
		if reply := a.try(t, o, plain, fmt.Sprintf("%04d", tries), read); !strings.Contains(reply, "rbac: cannot get items") {
			return errors.New(reply)
		}
		return nil
	})
	t.Logf("a read of the cache is denied %s after the right is gone, at try %d", time.Since(deleted), tries)

	a.Delete(t, &rbacv1.RoleBinding{ObjectMeta: a.Meta("reader")})
	a.ExpectCondition(t, plain, pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden)
	a.carrier(t, plain, "9999", read)
	testenv.Consistently(t, "no event is told", time.Second, func(context.Context) error {
		for _, line := range o.everything(a.NS + "/" + plain) {
			if strings.HasPrefix(line, "9999") {
				return errors.New(line)
			}
		}
		return nil
	})
}

// A plugin that makes too many requests is limited, in its own namespace, while the other tenant's plugin continues.
// The clock of the rate limiters stands still: only the burst is allowed, however long the test takes.
func TestTenants_floods(t *testing.T) {
	const longest = 5 * time.Minute
	o := startOperator(t, func(o *app.Options) {
		o.RateClock, o.Limits.MaxTimeout = clocktesting.NewFakePassiveClock(time.Now()), longest
	})
	a, b := newTenants(t, o.env)
	patient := func(s *pluginsv1alpha1.WasmPluginSpec) { s.Runtime.TimeoutSeconds = int32(longest.Seconds()) }
	a.plugin(t, plain, "Item", patient)
	a.plugin(t, wide, "Category", patient, func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.ServiceAccountName, s.Security.AllowedNamespaces = wide, []string{a.NS, b.NS}
	})
	b.plugin(t, plain, "Item")
	a.ExpectReady(t, plain, wide)
	b.ExpectReady(t, plain)
	values := map[string]string{"own": a.NS, "other": b.NS}
	for i, tc := range []struct {
		name, plugin string
		call
		want string
	}{
		{"requests that are denied", plain, call{"get", `{` + itemOf + `,` + otherKey + `}`, 20_000}, "allowlist: "},
		{"events, each another one", plain, call{"event", `{` + itemOf + `,` + ownKey + `,"type":"Normal","reason":"Flood","message":"####"}`, 1300}, "rate: events"},
		{"kinds, each another one", plain, call{"get", `{"apiVersion":"v1","kind":"Kind####",` + ownKey + `}`, 500}, "rate: kinds that are looked up"},
		{"names, each another one", wide, call{"get", `{` + categoryOf + `,"namespace":"{other}","name":"n-####"}`, 3000}, "rate: reads that need an access review"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			began := time.Now()
			tc.Request = fill(tc.Request, values)
			if reply := a.try(t, o, tc.plugin, fmt.Sprintf("%04d", i), tc.call); !strings.Contains(reply, tc.want) {
				t.Errorf("the last reply is %s, want %q", reply, tc.want)
			}
			t.Logf("%d calls took %s", tc.Times, time.Since(began))
			own := call{Function: "get", Request: fill[table.JSON](`{`+itemOf+`,`+ownKey+`}`, map[string]string{"own": b.NS})}
			if reply := b.try(t, o, plain, fmt.Sprintf("%04d", i), own); !strings.Contains(reply, b.content()) {
				t.Errorf("the other tenant's plugin is answered %s", reply)
			}
		})
	}
	var notified corev1.EventList
	a.List(t, &notified, client.InNamespace(a.NS))
	// Those of the guest, and a few of the operator for the plugins.
	if n := len(notified.Items); n < 1000 || n > 1050 {
		t.Errorf("there are %d events, want a thousand and some", n)
	}
	a.List(t, &notified, client.InNamespace(b.NS))
	if n := len(notified.Items); n > 50 {
		t.Errorf("there are %d events in the other namespace", n)
	}
	o.end(t)
	denied := o.records(t)[a.NS+"/"+plain][fmt.Sprintf("get items.inventory.example.com %s/private denied allowlist Forbidden", b.NS)]
	if denied == 0 || denied > 1000 {
		t.Errorf("%d denials are recorded, want some of 20,000, and no more than may come at once", denied)
	}
}

// try makes a plugin do a trick, and returns its reply.
func (n tenant) try(t *testing.T, o *operator, plugin, id string, c call) string {
	t.Helper()
	n.carrier(t, plugin, id, c)
	x := &attempt{by: n, trick: trick{Plugin: plugin}, id: id}
	testenv.Eventually(t, "an answer to "+id, func(context.Context) error { return x.answer(o) })
	return x.reply
}
