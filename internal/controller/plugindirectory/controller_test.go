// SPDX-License-Identifier: Apache-2.0

package plugindirectory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/directory"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// projected is a directory whose plugins appear as WasmPlugins in a namespace.
type projected struct {
	*testenv.Env

	t              *testing.T
	dir, namespace string
	files          *directory.Source
}

func newProjected(t *testing.T) *projected {
	t.Helper()
	p := &projected{Env: testenv.Shared(t), t: t, dir: filepath.Join(t.TempDir(), "plugins")}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p.namespace = p.Namespace(t)
	p.files = directory.New(p.dir, 1<<20)
	return p
}

// start runs the controller.
func (p *projected) start() {
	p.t.Helper()
	p.StartManager(p.t, func(mgr manager.Manager) error {
		watcher := directory.NewWatcher(p.files, logr.Discard())
		r := &Reconciler{Client: mgr.GetClient(), Directory: p.files, Namespace: p.namespace}
		return errors.Join(r.SetupWithManager(mgr, watcher.Subscribe()), mgr.Add(watcher))
	})
}

func (p *projected) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *projected) remove(name string) {
	p.t.Helper()
	if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *projected) get(ctx context.Context, name string) (*pluginsv1alpha1.WasmPlugin, error) {
	wp := &pluginsv1alpha1.WasmPlugin{}
	return wp, p.Client.Get(ctx, client.ObjectKey{Namespace: p.namespace, Name: name}, wp)
}

// eventually waits until check accepts a WasmPlugin.
func (p *projected) eventually(what, name string, check func(*pluginsv1alpha1.WasmPlugin) error) *pluginsv1alpha1.WasmPlugin {
	p.t.Helper()
	var wp *pluginsv1alpha1.WasmPlugin
	testenv.Eventually(p.t, what, func(ctx context.Context) (err error) {
		if wp, err = p.get(ctx, name); err != nil {
			return err
		}
		return check(wp)
	})
	return wp
}

func (p *projected) eventuallyDeleted(what, name string) {
	p.t.Helper()
	testenv.Eventually(p.t, what, func(ctx context.Context) error {
		if _, err := p.get(ctx, name); !apierrors.IsNotFound(err) {
			return fmt.Errorf("get: %w", err)
		}
		return nil
	})
}

func anything(*pluginsv1alpha1.WasmPlugin) error { return nil }

// problemIs returns a check for a problem whose message contains all parts, or for no problem if there are no parts.
func problemIs(parts ...string) func(*pluginsv1alpha1.WasmPlugin) error {
	return func(wp *pluginsv1alpha1.WasmPlugin) error {
		reason, message := wp.Annotations[pluginsv1alpha1.AnnotationDirectoryReason], wp.Annotations[pluginsv1alpha1.AnnotationDirectoryMessage]
		if len(parts) == 0 && reason+message != "" {
			return fmt.Errorf("problem %s: %q, want none", reason, message)
		}
		for _, part := range parts {
			if reason == "" || !strings.Contains(message, part) {
				return fmt.Errorf("problem %s: %q, want %q in it", reason, message, part)
			}
		}
		return nil
	}
}

const twoPlugins = `plugins:
  - name: first
    path: ./plugins/first.wasm
    language: rust
    config:
      for_types: [inventory.example.com/v1alpha1.Item]
      capabilities: [reconcile, status_update]
      settings: {level: strict, "<": [1, 2.5, 9007199254740993]}
      memory_pages: 16
      max_memory_pages: 64
  - name: second
    path: ./plugins/second.wasm
`

const limits = `name: first
type: wasm
path: ./first.wasm
version: v1.2.3
serviceAccountName: limited
security:
  allowedResources: [items, events]
  allowedVerbs: []
  allowedNamespaces: [default]
`

// TestReconciler_life follows a directory from its first file to its last.
func TestReconciler_life(t *testing.T) {
	t.Parallel()
	p := newProjected(t)
	p.write("wasm-plugins.yaml", twoPlugins)
	p.write("first-plugin.yaml", limits)
	p.write("bare.wasm", "module")
	p.start()

	first := p.eventually("the plugin appears", "first", anything)
	want := pluginsv1alpha1.WasmPluginSpec{
		Source:             pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "first.wasm"}},
		ServiceAccountName: "limited",
		ForTypes:           []pluginsv1alpha1.ForType{{TypeReference: pluginsv1alpha1.TypeReference{APIVersion: "inventory.example.com/v1alpha1", Kind: "Item"}}},
		Capabilities:       []pluginsv1alpha1.Capability{"reconcile", "status_update"},
		Settings:           first.Spec.Settings,
		Security: pluginsv1alpha1.Security{
			AllowedResources: []string{"items", "events"}, AllowedVerbs: []pluginsv1alpha1.Verb{}, AllowedNamespaces: []string{"default"},
			MaxConcurrentRequests: 10,
		},
		Runtime: pluginsv1alpha1.Runtime{MemoryPages: 16, MaxMemoryPages: 64, TimeoutSeconds: 5, InstancePolicy: pluginsv1alpha1.InstancePolicyPooled, MaxInstances: 4, IdleSeconds: new(int32(60))},
	}
	if diff := cmp.Diff(want, first.Spec); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	if settings := `{"<":[1,2.5,9007199254740993],"level":"strict"}`; !sameSettings(first.Spec.Settings, &runtime.RawExtension{Raw: []byte(settings)}) {
		t.Errorf("settings are %s, want %s", first.Spec.Settings.Raw, settings)
	}
	wantAnnotations := map[string]string{
		annotationFile: "wasm-plugins.yaml,first-plugin.yaml", annotationVersion: "v1.2.3", annotationLanguage: "rust",
	}
	if diff := cmp.Diff(wantAnnotations, first.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	p.eventually("the second", "second", anything)
	p.eventually("the bare module", "bare", problemIs())

	t.Log("the limits become unreadable: the plugin stays as it is, and says why")
	p.write("first-plugin.yaml", strings.Replace(limits, "allowedVerbs: []", "allowedVerbs: [", 1))
	broken := p.eventually("the problem", "first", problemIs("first-plugin.yaml: line "))
	if diff := cmp.Diff(first.Spec, broken.Spec); diff != "" {
		t.Errorf("the spec changed (-before +after):\n%s", diff)
	}
	t.Log("they come back, narrower")
	p.write("first-plugin.yaml", strings.Replace(limits, "[items, events]", "[]", 1))
	p.eventually("the change", "first", func(wp *pluginsv1alpha1.WasmPlugin) error {
		if r := wp.Spec.Security.AllowedResources; r == nil || len(r) > 0 {
			return fmt.Errorf("allowedResources are %#v", r)
		}
		return problemIs()(wp)
	})
	t.Log("one entry goes bad")
	p.write("wasm-plugins.yaml", strings.Replace(twoPlugins, "path: ./plugins/second.wasm", "pth: ./plugins/second.wasm", 1))
	p.eventually("its problem", "second", problemIs("wasm-plugins.yaml:12: unknown key pth"))
	t.Log("everything goes")
	p.remove("wasm-plugins.yaml")
	p.eventuallyDeleted("the plugin without an entry", "second")
	p.remove("first-plugin.yaml")
	p.eventuallyDeleted("the plugin without a file", "first")
	p.remove("bare.wasm")
	p.eventuallyDeleted("the plugin without a module", "bare")
}

// TestReconciler_foreign shows that the controller leaves alone what it did not create, and uses the name when it is
// free.
func TestReconciler_foreign(t *testing.T) {
	t.Parallel()
	p := newProjected(t)
	foreign := &pluginsv1alpha1.WasmPlugin{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: "second"},
		Spec:       pluginsv1alpha1.WasmPluginSpec{Source: pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: "theirs"}}},
	}
	p.Create(t, foreign)
	p.write("wasm-plugins.yaml", twoPlugins)
	p.start()
	p.eventually("the other plugin of the file", "first", problemIs())
	testenv.Consistently(t, "it is untouched", time.Second, func(ctx context.Context) error {
		got, err := p.get(ctx, "second")
		if err == nil && got.ResourceVersion != foreign.ResourceVersion {
			err = fmt.Errorf("it was changed: %+v", got)
		}
		return err
	})
	p.Delete(t, foreign)
	p.eventually("ours in its place", "second", func(wp *pluginsv1alpha1.WasmPlugin) error {
		if wp.Spec.Source.File == nil {
			return errors.New("it is not made of the file")
		}
		return nil
	})
}

// TestReconciler_restores shows that the controller restores what others have changed or deleted: the directory
// determines what exists.
func TestReconciler_restores(t *testing.T) {
	t.Parallel()
	p := newProjected(t)
	p.write("wasm-plugins.yaml", twoPlugins)
	p.start()
	second := p.eventually("the plugin", "second", anything)
	p.Delete(t, second)
	p.eventually("after it was deleted", "second", func(wp *pluginsv1alpha1.WasmPlugin) error {
		if wp.UID == second.UID {
			return errors.New("it is the old one")
		}
		second = wp
		return nil
	})
	second.Spec.ServiceAccountName = "mightier"
	p.Update(t, second)
	p.eventually("after it was changed", "second", func(wp *pluginsv1alpha1.WasmPlugin) error {
		if got := wp.Spec.ServiceAccountName; got != "default" {
			return fmt.Errorf("the account is %q", got)
		}
		return nil
	})
}

// reconcile reconciles once, with a client that does not cache.
func (p *projected) reconcile() {
	p.t.Helper()
	r := &Reconciler{Client: p.Client, Directory: p.files, Namespace: p.namespace}
	if _, err := r.Reconcile(p.t.Context(), ctrl.Request{}); err != nil {
		p.t.Fatal(err)
	}
}

// versions returns the resourceVersions of all plugins of the directory.
func (p *projected) versions() map[string]string {
	p.t.Helper()
	var list pluginsv1alpha1.WasmPluginList
	if err := p.Client.List(p.t.Context(), &list, client.InNamespace(p.namespace)); err != nil {
		p.t.Fatal(err)
	}
	out := map[string]string{}
	for _, wp := range list.Items {
		out[wp.Name] = wp.ResourceVersion
	}
	return out
}

// TestReconciler_invalid covers what only the API server rejects, for new and for existing plugins.
func TestReconciler_invalid(t *testing.T) {
	t.Parallel()
	p := newProjected(t)
	p.write("old-plugin.yaml", "name: old\npath: old.wasm\n")
	p.reconcile()
	const invalid = "security: {allowedVerbs: [fly], allowedResources: [A, B], maxConcurrentRequests: -1}\n"
	for _, name := range []string{"old", "new"} {
		p.write(name+"-plugin.yaml", fmt.Sprintf("name: %s\npath: %s.wasm\n%s", name, name, invalid))
	}
	p.write("good-plugin.yaml", "name: good\npath: good.wasm\n")
	p.reconcile()
	for _, name := range []string{"old", "new"} {
		wp, err := p.get(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := problemIs(name+"-plugin.yaml: the API server rejects it: ", "spec.security.allowedVerbs[0]", "spec.security.maxConcurrentRequests")(wp); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if wp.Spec.Security.AllowedVerbs != nil {
			t.Errorf("%s: got %+v", name, wp.Spec.Security)
		}
	}
	if wp, err := p.get(t.Context(), "good"); err != nil || problemIs()(wp) != nil {
		t.Errorf("the good one: %+v, %v", wp.Annotations, err)
	}
	before := p.versions()
	for range 5 { // the causes are in any order
		p.reconcile()
	}
	if diff := cmp.Diff(before, p.versions()); diff != "" {
		t.Errorf("looking again wrote something (-before +after):\n%s", diff)
	}
	p.write("old-plugin.yaml", "name: old\npath: old.wasm\n")
	p.reconcile()
	if wp, err := p.get(t.Context(), "old"); err != nil || problemIs()(wp) != nil {
		t.Errorf("fixed: %+v, %v", wp.Annotations, err)
	}
}

// TestReconciler_secondRun shows that a second run writes nothing.
func TestReconciler_secondRun(t *testing.T) {
	t.Parallel()
	p := newProjected(t)
	for name, text := range map[string]string{
		"wasm-plugins.yaml": twoPlugins, "first-plugin.yaml": limits, "bare.wasm": "module", "Bad_Name.wasm": "module",
		"unknown-plugin.yaml": "name: unknown\npath: u.wasm\nkey: x\n", "twice-plugin.yaml": "name: bare\npath: other.wasm\n",
		"empty-plugin.yaml":   "name: empty\npath: empty.wasm\nsecurity: {}\n",
		"nothing-plugin.yaml": "name: nothing\npath: nothing.wasm\nsecurity: {allowedVerbs: [], allowedResources: [], allowedNamespaces: []}\n",
	} {
		p.write(name, text)
	}
	p.reconcile()
	before := p.versions()
	if len(before) != 7 {
		t.Errorf("got %d plugins: %v", len(before), before)
	}
	p.reconcile()
	if diff := cmp.Diff(before, p.versions()); diff != "" {
		t.Errorf("it wrote something (-first +second):\n%s", diff)
	}
}

// TestReconciler_longMessage shows that a problem as long as a file still fits into an annotation.
func TestReconciler_longMessage(t *testing.T) {
	t.Parallel()
	p := newProjected(t)
	p.write("long-plugin.yaml", "name: long\ntype: "+strings.Repeat("t", 500_000)+"\npath: long.wasm\n")
	p.reconcile()
	p.reconcile()
	wp, err := p.get(t.Context(), "long")
	if err != nil || problemIs(`long-plugin.yaml:2: type "ttt`)(wp) != nil {
		t.Errorf("got %v", err)
	}
}

// TestReconciler_unreadableDirectory shows that a directory that cannot be read changes nothing.
func TestReconciler_unreadableDirectory(t *testing.T) {
	t.Parallel()
	p := newProjected(t)
	p.write("a-plugin.yaml", "name: a\npath: a.wasm\n")
	p.reconcile()
	before := p.versions()
	p.write("file", "text")
	r := &Reconciler{Client: p.Client, Directory: directory.New(filepath.Join(p.dir, "file"), 1), Namespace: p.namespace}
	if _, err := r.Reconcile(t.Context(), ctrl.Request{}); err == nil {
		t.Error("no error")
	}
	if diff := cmp.Diff(before, p.versions()); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}
