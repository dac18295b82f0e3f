// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// The names with which the chart's objects equal those of config/default.
const (
	release   = "k1s"
	namespace = "k1s-system"
)

const (
	root  = "../.."
	chart = "charts/k1s"
)

// objects are manifests by kind and name.
type objects map[string]*unstructured.Unstructured

// helm returns the path of the pinned Helm, which is compiled on first use. The variable HELM overrides it, to test
// another version.
var helm = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("HELM"); path != "" {
		return path, nil
	}
	cmd := exec.Command("go", "tool", "-modfile=go.tools.mod", "-n", "helm")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as in `make test`, which compiles it before
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
})

// rendered caches the output of the chart by values, because several tests use the same ones.
var rendered sync.Map

// render renders the chart with values in YAML. It returns Helm's error if Helm rejects the values.
func render(t *testing.T, values string) (objects, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles Helm")
	}
	path, err := helm()
	if err != nil {
		t.Fatalf("build helm: %v", err)
	}
	look(t)
	once, _ := rendered.LoadOrStore(values, sync.OnceValues(func() ([]byte, error) { return template(path, values) }))
	out, err := once.(func() ([]byte, error))()
	if err != nil {
		return nil, err
	}
	return parse(t, bytes.NewReader(out)), nil
}

// template runs Helm. It uses no context of a test, because its result is shared.
func template(path, values string) ([]byte, error) {
	cmd := exec.Command(path, "template", release, chart, "--namespace", namespace, "--kube-version", "1.37.0", "--values", "-")
	cmd.Dir = root
	cmd.Stdin = strings.NewReader(values)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("helm template: %w: %s", err, problems.String())
	}
	return out.Bytes(), nil
}

// look reads the chart's files. The go command caches the result of a test as long as the files that the test itself
// has read do not change. Files that Helm reads do not count.
func look(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, chart), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mustRender is render for valid values.
func mustRender(t *testing.T, values string) objects {
	t.Helper()
	all, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// read returns the objects in a folder's manifests.
func read(t *testing.T, folder string) objects {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests in %s: %v", folder, err)
	}
	all := objects{}
	for _, file := range files {
		text := testfile.Read(t, file)
		for key, o := range parse(t, bytes.NewReader(text)) {
			all[key] = o
		}
	}
	return all
}

func parse(t *testing.T, in io.Reader) objects {
	t.Helper()
	all := objects{}
	documents := yaml.NewYAMLReader(bufio.NewReader(in))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(text, &o.Object); err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
		if o.GetKind() == "" || o.GetKind() == "Kustomization" {
			continue
		}
		key := o.GetKind() + " " + o.GetName()
		if ns := o.GetNamespace(); ns != "" && ns != namespace {
			key += " in " + ns
		}
		if all[key] != nil {
			t.Fatalf("%s stands there twice", key)
		}
		all[key] = o
	}
}

// as converts an object to its Go type.
func as[T any](t *testing.T, all objects, key string) T {
	t.Helper()
	o := all[key]
	if o == nil {
		t.Fatalf("there is no %s", key)
	}
	var typed T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, &typed, true); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return typed
}
