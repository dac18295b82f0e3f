// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

func (o *operator) write(t *testing.T, name string, bytes []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), bytes, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWasmPlugin_fileSource checks that a plugin from a file follows the file: the operator loads a changed module, and
// reports an invalid one.
func TestWasmPlugin_fileSource(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	o.write(t, "annotator.wasm", versionOf(t, "1.0.0"))
	n.Plugin(t, "from-file", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Source = pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "annotator.wasm"}}
	})
	n.expectVersion(t, "from-file", "1.0.0")
	o.write(t, "annotator.wasm", versionOf(t, "1.0.7"))
	n.expectVersion(t, "from-file", "1.0.7")
	o.write(t, "annotator.wasm", []byte("rubbish"))
	n.ExpectCondition(t, "from-file", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonNotWasm)
	n.ExpectCondition(t, "from-file", pluginsv1alpha1.ConditionDegraded, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	n.category(t, "meanwhile")
	n.expectAnnotated(t, "meanwhile")
}

// TestWasmPlugin_directory checks that a module file alone creates a plugin in the operator's namespace, that files
// which describe plugins are read, and that an error in such a file is reported without an effect on the serving
// revision.
func TestWasmPlugin_directory(t *testing.T) {
	o := startOperator(t)
	n := newTenantIn(t, o.env, o.ns, annotatorRules()...)
	n.category(t, "tools")
	o.write(t, "annotator.wasm", versionOf(t, "1.0.0"))
	o.write(t, "wasm-plugins.yaml", []byte(`plugins:
  - name: "annotator"
    path: "./plugins/annotator.wasm"
    language: "wat"
    config:
      for_types:
        - "inventory.example.com/v1alpha1.Category"
      capabilities:
        - "reconcile"
      service_account_name: plugin
`))
	n.expectVersion(t, "annotator", "1.0.0")
	n.expectAnnotated(t, "tools")

	t.Log("malformed YAML")
	o.write(t, "wasm-plugins.yaml", []byte("plugins:\n  - name: [\n"))
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonInvalidPluginFile, "wasm-plugins.yaml", "line ")
	n.expectEvent(t, "annotator", pluginsv1alpha1.ReasonInvalidPluginFile, "wasm-plugins.yaml")
	n.category(t, "during-bad-yaml")
	n.expectAnnotated(t, "during-bad-yaml")

	t.Log("two plugins of one name")
	entry := "  - {name: annotator, path: annotator.wasm, config: {service_account_name: plugin}}\n"
	o.write(t, "wasm-plugins.yaml", []byte("plugins:\n"+entry+entry))
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonDuplicateName,
		"wasm-plugins.yaml:2", "wasm-plugins.yaml:3")

	t.Log("fixed")
	o.write(t, "wasm-plugins.yaml", []byte("plugins:\n"+entry))
	n.ExpectReady(t, "annotator")
}

func (o *operator) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(o.dir, name)); err != nil {
		t.Fatal(err)
	}
}
