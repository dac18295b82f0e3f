// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/logs"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// secret creates or updates a Secret with the key "password".
func (n tenant) secret(t *testing.T, name, value string) {
	t.Helper()
	s := &corev1.Secret{ObjectMeta: n.Meta(name), Data: map[string][]byte{"password": []byte(value)}}
	testenv.Eventually(t, "Secret "+name, func(ctx context.Context) error {
		if err := n.Client.Create(ctx, s); err == nil {
			return nil
		}
		return n.Client.Update(ctx, s)
	})
}

// mayReadSecret gives the plugin's ServiceAccount the permission to get one Secret.
func (n tenant) mayReadSecret(t *testing.T, name string) {
	t.Helper()
	n.GrantRole(t, "secrets", testenv.AccountSubject(n.NS, "plugin"), rbacv1.PolicyRule{
		APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{name}, Verbs: []string{"get"},
	})
}

func fromSecret(as, name, key string) pluginsv1alpha1.SettingSource {
	return pluginsv1alpha1.SettingSource{As: as, SecretRef: pluginsv1alpha1.SecretKeyReference{Name: name, Key: key}}
}

// TestWasmPlugin_settingsFrom_grantedBeforeTheRest checks that the status shows that the permission for the Secret is
// granted, although the ServiceAccount still lacks all other permissions.
func TestWasmPlugin_settingsFrom_grantedBeforeTheRest(t *testing.T) {
	o := startOperator(t, pollsOften)
	n := newTenant(t, o.env)
	n.secret(t, "mail", "correct-horse-battery")
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.SettingsFrom = []pluginsv1alpha1.SettingSource{fromSecret("token", "mail", "password")}
	})
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionSettingsValid, metav1.ConditionFalse, pluginsv1alpha1.ReasonSecretForbidden)
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden)
	n.mayReadSecret(t, "mail")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionSettingsValid, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded)
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden)
}

// TestWasmPlugin_settingsFrom checks that every reason why settings from Secrets are missing is reported, and that it
// can be fixed without a change of the WasmPlugin's spec.
func TestWasmPlugin_settingsFrom(t *testing.T) {
	o := startOperator(t, pollsOften)
	n := newTenant(t, o.env, annotatorRules()...)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.SettingsFrom = []pluginsv1alpha1.SettingSource{fromSecret("token", "mail", "password")}
	})
	expect := func(reason string, parts ...string) {
		t.Helper()
		n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionSettingsValid, metav1.ConditionFalse, reason, parts...)
	}
	t.Log("no right to it")
	expect(pluginsv1alpha1.ReasonSecretForbidden, `ServiceAccount "plugin" cannot get secrets ["mail"] in namespace "`+n.NS+`"`,
		"kubectl -n "+n.NS+" create role k1s-annotator-", "--verb=get --resource=secrets --resource-name=mail; kubectl -n "+n.NS+" create rolebinding")
	n.mayReadSecret(t, "mail")
	t.Log("not there") // which only the next poll detects
	expect(pluginsv1alpha1.ReasonSecretNotFound, `Secret "mail" does not exist in namespace "`+n.NS+`"`)
	n.Create(t, &corev1.Secret{ObjectMeta: n.Meta("mail"), Data: map[string][]byte{"other": []byte("hunter2-wrong")}})
	n.touch(t, "annotator")
	expect(pluginsv1alpha1.ReasonSecretKeyNotFound, `has no key "password"`)
	n.secret(t, "mail", "hunter2\xff")
	n.touch(t, "annotator")
	expect(pluginsv1alpha1.ReasonSecretInvalid, "is not UTF-8 text")
	n.secret(t, "mail", "hunter2-right")
	n.touch(t, "annotator")
	n.ExpectReady(t, "annotator")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionSettingsValid, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded, "1 from Secrets")

	t.Log("in settings too")
	n.change(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Settings = &runtime.RawExtension{Raw: []byte(`{"token":"x"}`)}
	})
	expect(pluginsv1alpha1.ReasonSettingsConflict, "spec.settings has too")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionDegraded, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	n.change(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName, s.Settings = "nobody", nil })
	expect(pluginsv1alpha1.ReasonServiceAccountNotFound, `ServiceAccount "nobody" does not exist`)
}

// TestWasmPlugin_settingsFrom_notShown checks that the secrets of a guest that writes them wherever it can do not
// appear anywhere.
func TestWasmPlugin_settingsFrom_notShown(t *testing.T) {
	const first, second = "hunter2-correct-horse", "battery-staple-9"
	audit := filepath.Join(t.TempDir(), "audit.log")
	registry := prometheus.NewRegistry()
	o := startOperator(t, func(options *app.Options) { options.AuditLog, options.Registerer = audit, registry })
	o.end(t)
	logged := &logs.Recorder{Verbosity: 1}
	o.log = logged.Logger()
	registry = prometheus.NewRegistry()
	o.start(t)

	n := newTenant(t, o.env, append(annotatorRules(), rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}})...)
	n.secret(t, "mail", first)
	n.Store(t, "echo", engineFixture(t, "echo.wasm"))
	n.Plugin(t, "echo", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Capabilities = []plugin.Capability{plugin.CapabilityReconcile}
		s.Settings = &runtime.RawExtension{Raw: fmt.Appendf(nil, `{"namespace":%q}`, n.NS)}
		s.SettingsFrom = []pluginsv1alpha1.SettingSource{fromSecret("token", "mail", "password")}
	})
	n.category(t, "tools")
	n.ExpectReady(t, "echo")
	n.expectEvent(t, "echo", "ReconcileFailed", "answered Invalid: [redacted]")
	testenv.Eventually(t, "the guest's own event", func(context.Context) error {
		for _, e := range n.events(t) {
			if e.Reason == "Said" && e.Message == plugin.Redacted {
				return nil
			}
		}
		return fmt.Errorf("there are only %v", n.events(t))
	})

	t.Log("the next value")
	n.secret(t, "mail", "!"+second) // which the guest rejects
	n.touch(t, "echo")
	n.ExpectCondition(t, "echo", pluginsv1alpha1.ConditionCompiled, metav1.ConditionFalse, pluginsv1alpha1.ReasonInitializeFailed, plugin.Redacted)
	n.secret(t, "mail", second)
	n.touch(t, "echo")
	n.ExpectReady(t, "echo") // again, because the serving revision did not have the settings of the Secret

	var seen []string
	wp, err := n.GetPlugin(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{wp, n.events(t), metrics} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, string(text))
	}
	o.end(t) // which flushes the audit log
	records := testfile.Read(t, audit)
	seen = append(seen, strings.Join(logged.Lines(), "\n"), string(records))
	names := []string{"status", "events", "metrics", "log", "audit log"}
	for i, text := range seen {
		for _, part := range []string{first, second, "hunter2", "battery"} {
			if at := strings.Index(text, part); at >= 0 {
				t.Errorf("%s: has %q: …%s", names[i], part, text[max(0, at-300):min(len(text), at+100)])
			}
		}
		if !strings.Contains(text, plugin.Redacted) && names[i] != "status" && names[i] != "metrics" {
			t.Errorf("%s: nothing was taken out, so that nothing is shown by its absence", names[i])
		}
	}
	err = filepath.WalkDir(o.cache, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, part := range []string{first, second} {
			if strings.Contains(string(content), part) {
				t.Errorf("%s, which is kept on disk, has a secret", path)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
