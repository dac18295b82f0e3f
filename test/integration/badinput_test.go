// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_badInput checks that everything that can be wrong with a plugin has its own condition and reason, with
// a message that says what to do; that an Event reports it; and that it is not retried in a hot loop.
func TestWasmPlugin_badInput(t *testing.T) {
	o := startOperator(t)
	good := conformanceFixture(t, "annotator.wasm")
	for name, tc := range map[string]struct {
		why       string
		module    []byte
		noStore   bool
		mutate    func(*pluginsv1alpha1.WasmPluginSpec)
		condition string
		reason    string
		parts     []string
	}{
		"not-wasm": {
			why: "text instead of a module", module: []byte("hello"),
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonNotWasm,
			parts: []string{"key \"plugin.wasm\" of ConfigMap \"not-wasm\" holds text, not a WebAssembly module: store the module's bytes as they are"},
		},
		"base64": {
			why: "base64 text of a module", module: []byte(base64.StdEncoding.EncodeToString(good)),
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonNotWasm,
			parts: []string{`key "plugin.wasm" of ConfigMap "base64" holds base64 text of a WebAssembly module`, "kubectl create configmap --from-file"},
		},
		"proposal": {
			why: "the module needs threads", module: engineFixture(t, "proposal_threads.wasm"),
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonInvalidModule,
			parts: []string{"uses the threads proposal, which k1s does not support", "-pthread"},
		},
		"assemblyscript": {
			why: "asc was not told what abort is", module: engineFixture(t, "import_env.wasm"),
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonUnknownImport,
			parts: []string{`"env" "abort"`, "--use abort=<file>/<function>"},
		},
		"truncated": {
			why: "half of a module", module: good[:len(good)/2],
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonInvalidModule,
			parts: []string{"malformed"},
		},
		"no-abi-version": {
			why: "a module that is no plugin", module: []byte("\x00asm\x01\x00\x00\x00"),
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonMissingABIVersion,
			parts: []string{"k1s_abi_version"},
		},
		"unknown-import": {
			why: "the module imports a function that nobody offers", module: engineFixture(t, "import_function.wasm"),
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonUnknownImport,
			parts: []string{"imports", "does not offer"},
		},
		"missing-export": {
			why: "the module declares reconcile and does not export it", module: engineFixture(t, "no_reconcile.wasm"),
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonMissingExport,
			parts: []string{`"reconcile"`},
		},
		"start-function-traps": {
			why: "the module traps in _initialize", module: engineFixture(t, "initialize_trap.wasm"),
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonInitializeFailed,
			parts: []string{"_initialize", "unreachable"},
		},
		"settings-missing": {
			why: "the schema requires a setting", module: localFixture(t, "schema.wasm"),
			condition: pluginsv1alpha1.ConditionSettingsValid, reason: pluginsv1alpha1.ReasonSettingsInvalid,
			parts: []string{"level"},
		},
		"settings-wrong": {
			why: "two settings do not meet the schema", module: localFixture(t, "schema.wasm"),
			mutate: func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Settings = &runtime.RawExtension{Raw: []byte(`{"level":"medium","other":1}`)}
			},
			condition: pluginsv1alpha1.ConditionSettingsValid, reason: pluginsv1alpha1.ReasonSettingsInvalid,
			parts: []string{"level", "other"},
		},
		"no-configmap": {
			why: "the ConfigMap was never made", noStore: true,
			condition: pluginsv1alpha1.ConditionFetched, reason: pluginsv1alpha1.ReasonConfigMapNotFound,
			parts: []string{"kubectl create configmap"},
		},
		"no-key": {
			why: "the ConfigMap has another key", module: good,
			mutate:    func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source.ConfigMap.Key = "other.wasm" },
			condition: pluginsv1alpha1.ConditionFetched, reason: pluginsv1alpha1.ReasonConfigMapKeyNotFound,
			parts: []string{`"other.wasm"`, "binaryData", `it has "plugin.wasm"`},
		},
		"no-file": {
			why: "there is no such file", noStore: true,
			mutate: func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Source = pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "none.wasm"}}
			},
			condition: pluginsv1alpha1.ConditionFetched, reason: pluginsv1alpha1.ReasonFileNotFound,
			parts: []string{`"none.wasm"`, "--plugin-dir"},
		},
		"changed-sha256": {
			why: "the pin is of another module", module: good,
			mutate: func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.SHA256 = "0000000000000000000000000000000000000000000000000000000000000000"
			},
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonDigestMismatch,
			parts: []string{"spec.sha256"},
		},
		"undeclared-type": {
			why: "the module does not know the kind", module: good,
			mutate: func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.ForTypes = []pluginsv1alpha1.ForType{{TypeReference: pluginsv1alpha1.TypeReference{APIVersion: "v1", Kind: "Secret"}}}
			},
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonTypeNotDeclared,
			parts: []string{"Secret", "Category.inventory.example.com"},
		},
		"kind-not-installed": {
			why: "the kind of an owned object does not exist", module: good,
			mutate: func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Owns = []pluginsv1alpha1.TypeReference{{APIVersion: "example.com/v1", Kind: "Nothing"}}
			},
			condition: pluginsv1alpha1.ConditionAuthorized, reason: pluginsv1alpha1.ReasonKindNotFound,
			parts: []string{`"Nothing"`, "CustomResourceDefinition"},
		},
		"no-account": {
			why: "the ServiceAccount does not exist", module: good,
			mutate:    func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = "nobody" },
			condition: pluginsv1alpha1.ConditionAuthorized, reason: pluginsv1alpha1.ReasonServiceAccountNotFound,
			parts: []string{"kubectl", "create serviceaccount nobody"},
		},
		"account-without-rights": {
			why: "the ServiceAccount cannot watch", module: good,
			mutate:    func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = "default" },
			condition: pluginsv1alpha1.ConditionAuthorized, reason: pluginsv1alpha1.ReasonAccountForbidden,
			parts: []string{"list and watch", "create role", "--resource=categories.inventory.example.com", "create rolebinding"},
		},
		"operator-without-rights": {
			why: "the operator cannot watch Secrets, whatever the plugin may", module: good,
			mutate: func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Owns = []pluginsv1alpha1.TypeReference{{APIVersion: "v1", Kind: "Secret"}}
			},
			condition: pluginsv1alpha1.ConditionAuthorized, reason: pluginsv1alpha1.ReasonOperatorForbidden,
			parts: []string{"operator itself", pluginsv1alpha1.LabelAggregateToWatch},
		},
		"too-little-memory": {
			why: "the module wants more memory than it may have", module: good,
			mutate:    func(s *pluginsv1alpha1.WasmPluginSpec) { s.Runtime.MaxMemoryPages = 1 },
			condition: pluginsv1alpha1.ConditionVerified, reason: pluginsv1alpha1.ReasonMemoryLimit,
			parts: []string{"maxMemoryPages"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, o.env, annotatorRules()...)
			if !tc.noStore {
				n.Store(t, name, tc.module)
			}
			var mutate []func(*pluginsv1alpha1.WasmPluginSpec)
			if tc.mutate != nil {
				mutate = append(mutate, tc.mutate)
			}
			n.Plugin(t, name, mutate...)
			n.ExpectCondition(t, name, tc.condition, metav1.ConditionFalse, tc.reason, tc.parts...)
			n.ExpectCondition(t, name, pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, tc.reason)
			n.ExpectCondition(t, name, pluginsv1alpha1.ConditionServing, metav1.ConditionFalse, pluginsv1alpha1.ReasonNoRevision)
			n.expectEvent(t, name, tc.reason)
			if tc.reason != pluginsv1alpha1.ReasonInitializeFailed { // initialization is retried with a backoff
				n.expectQuiet(t, name)
			}
		})
	}
}

// expectQuiet checks that the operator does not update the status of a WasmPlugin, as it would in a hot loop.
func (n tenant) expectQuiet(t *testing.T, name string) {
	t.Helper()
	was, err := n.GetPlugin(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	testenv.Consistently(t, "the status is left alone", time.Second, func(ctx context.Context) error {
		is, err := n.GetPlugin(ctx, name)
		if err == nil && is.ResourceVersion != was.ResourceVersion {
			err = fmt.Errorf("resourceVersion went from %s to %s", was.ResourceVersion, is.ResourceVersion)
		}
		return err
	})
}

// TestWasmPlugin_rubbishReply checks that an invalid reply of a guest fails only that call: the plugin stays loaded,
// and another plugin for the same objects keeps working.
func TestWasmPlugin_rubbishReply(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	n.Store(t, "rubbish", localFixture(t, "rubbish.wasm"))
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "rubbish")
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "rubbish")
	n.category(t, "tools")
	n.expectEvent(t, "rubbish", "ReconcileFailed", "Category "+n.NS+"/tools", "2147483647 bytes")
	n.expectAnnotated(t, "tools")
	n.ExpectCondition(t, "rubbish", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonAsSpecified)
	n.ExpectCondition(t, "rubbish", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonCallsFailing, "2147483647 bytes")
	n.ExpectReady(t, "annotator")
}

// TestWasmPlugin_recoversByItself checks that a plugin which waits for an object loads without intervention once the
// object exists.
func TestWasmPlugin_recoversByItself(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	n.category(t, "tools")
	n.Plugin(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = "late" })
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonConfigMapNotFound)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonServiceAccountNotFound)
	n.ServiceAccount(t, n.NS, "late")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden)
	n.bind(t, "late")
	n.ExpectReady(t, "annotator")
	n.expectAnnotated(t, "tools")
}

// TestWasmPlugin_badRevisionAfterGood checks that the serving revision keeps serving whatever module comes after it,
// and that the next valid one replaces it.
func TestWasmPlugin_badRevisionAfterGood(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	good := conformanceFixture(t, "annotator.wasm")
	n.Store(t, "annotator", good)
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")

	for i, bad := range [][]byte{[]byte("rubbish"), good[:len(good)-10], []byte("\x00asm\x01\x00\x00\x00")} {
		n.Store(t, "annotator", bad)
		n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionDegraded, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
		n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
		category := fmt.Sprintf("during-bad-%d", i)
		n.category(t, category)
		n.expectAnnotated(t, category)
	}
	n.change(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Settings = &runtime.RawExtension{Raw: []byte(`{"any":"thing"}`)}
	})
	n.Store(t, "annotator", good)
	n.ExpectReady(t, "annotator")
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionDegraded, metav1.ConditionFalse, pluginsv1alpha1.ReasonAsSpecified)
}
