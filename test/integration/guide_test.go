// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// shellBlock matches the commands of a guide.
var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestGuide_oci runs the commands of docs/guides/oci.md, with the names of the test in place of those of the guide: what
// oras has pushed and cosign has signed serves in the end.
func TestGuide_oci(t *testing.T) {
	server := registry.Start(t, registry.Options{})
	o := startOperator(t, pollsOften, loopback)
	shop := newTenant(t, o.env, annotatorRules()...)
	dir := t.TempDir()
	module := filepath.Join(dir, "plugins", "category-hierarchy.wasm")
	if err := os.MkdirAll(filepath.Dir(module), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(module, conformanceFixture(t, "annotator.wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := writeKubeconfig(o.env.Config, kubeconfig); err != nil {
		t.Fatal(err)
	}
	for name, module := range map[string]string{"oras": "-modfile=go.tools.mod", "cosign": "-C=test/cosign"} {
		if err := os.Symlink(tool(t, module, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, port, err := net.SplitHostPort(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.NewReplacer(
		// oras uses plain HTTP for localhost only.
		"reference: registry.example", "insecure: true\n      reference: localhost:"+port, "registry.example", "localhost:"+port,
		"namespace inventory", "namespace "+shop.NS, "namespace: inventory", "namespace: "+shop.NS,
		"serviceAccountName: category-hierarchy", "serviceAccountName: plugin", "inventory:category-hierarchy", shop.NS+":plugin",
	)
	blocks := shellBlock.FindAllStringSubmatch(string(testfile.Read(t, testenv.Root(), "docs", "guides", "oci.md")), -1)
	if len(blocks) < 3 {
		t.Fatalf("the guide has %d blocks of commands", len(blocks))
	}
	for _, block := range blocks {
		script := names.Replace(block[1])
		run := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
		run.Dir = dir
		run.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "PASSWORD=secret", "COSIGN_PASSWORD=secret", "HOME="+dir,
			"PATH="+strings.Join([]string{dir, os.Getenv("KUBEBUILDER_ASSETS"), os.Getenv("PATH")}, string(os.PathListSeparator)))
		out, err := run.CombinedOutput()
		t.Logf("%s\n%s", script, out)
		if err != nil {
			wp, _ := shop.GetPlugin(t.Context(), "category-hierarchy") // nil if it does not exist
			t.Fatalf("a command of the guide failed: %v\n%+v", err, wp)
		}
	}
	shop.ExpectReady(t, "category-hierarchy")
	const signer = `key "cosign.pub" of ConfigMap "cosign"`
	shop.ExpectCondition(t, "category-hierarchy", pluginsv1alpha1.ConditionSignatureVerified, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded, signer)
	wp, err := shop.GetPlugin(t.Context(), "category-hierarchy")
	if err != nil {
		t.Fatal(err)
	}
	if wp.Status.Artifact == nil || wp.Status.Artifact.Signer != signer {
		t.Errorf("status.artifact is %+v, want the signer %s", wp.Status.Artifact, signer)
	}
}

// tool builds a tool of a module, which a flag of the go command selects, and returns its path.
func tool(t *testing.T, module, name string) string {
	t.Helper()
	build := exec.CommandContext(t.Context(), "go", "tool", module, "-n", name)
	build.Dir, build.Stderr = testenv.Root(), os.Stderr
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as in `make test`, which compiles it before
	out, err := build.Output()
	if err != nil {
		t.Fatalf("build %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}
