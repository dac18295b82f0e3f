// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/testenv"
)

// TestManager_sharedInformer shows that two plugins that watch one kind share one watch, which stops with the last one.
func TestManager_sharedInformer(t *testing.T) {
	t.Parallel()
	const resource = "podtemplates" // which nothing else watches
	gvk := corev1.SchemeGroupVersion.WithKind("PodTemplate")
	w := newTestCluster(t)
	open := func(want float64) {
		t.Helper()
		testenv.Eventually(t, fmt.Sprintf("%v open watches", want), func(ctx context.Context) error {
			n, err := w.watches(ctx, resource)
			if err == nil && n != want {
				err = fmt.Errorf("%v watches are open", n)
			}
			return err
		})
	}
	informers := func(want map[schema.GroupVersionKind]int) {
		t.Helper()
		if diff := cmp.Diff(want, w.informers.count()); diff != "" {
			t.Errorf("informers (-want +got):\n%s", diff)
		}
	}
	open(0)
	var one, two journal
	w.ensure("one", w.of(gvk), &one)
	w.ensure("two", w.of(gvk, configMaps), &two)
	open(1)
	informers(map[schema.GroupVersionKind]int{gvk: 2, configMaps: 1})
	if !w.watched(gvk) || w.watched(secrets) {
		t.Errorf("watched: %t and %t, want what is watched and nothing else", w.watched(gvk), w.watched(secrets))
	}
	w.put(&corev1.PodTemplate{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "a"}, Template: podTemplate()})
	one.eventually(t, "the first hears", w.request(gvk, "a"), 0)
	two.eventually(t, "the second hears", w.request(gvk, "a"), 0)

	w.Stop(named("one"))
	informers(map[schema.GroupVersionKind]int{gvk: 1, configMaps: 1})
	silent := one.total()
	w.put(&corev1.PodTemplate{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "b"}, Template: podTemplate()})
	two.eventually(t, "the second still hears", w.request(gvk, "b"), 0)
	if n := one.total(); n != silent {
		t.Errorf("the first, which was stopped, was called %d times", n-silent)
	}

	w.ensure("two", w.of(configMaps), &two) // the same plugin releases one kind
	informers(map[schema.GroupVersionKind]int{configMaps: 1})
	open(0)
	w.Stop(named("two"))
	informers(map[schema.GroupVersionKind]int{})
	if w.watched(gvk) || w.watched(configMaps) {
		t.Error("something is watched with no plugin left")
	}
	if _, err := w.Get(t.Context(), gvk, w.namespace, "a"); err == nil {
		t.Error("a kind that is not watched was read from the cache")
	}
	w.Stop(named("two")) // a second Stop does no harm
	w.ensure("one", w.of(gvk), &one)
	open(1)
}

func podTemplate() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
}

// TestManager_kindNotInstalled shows that a kind that is not installed leaves nothing behind, and a running plugin as
// it was.
func TestManager_kindNotInstalled(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	var j journal
	unknown := schema.GroupVersionKind{Group: "nothing.example.com", Version: "v1", Kind: "Nothing"}
	err := w.Ensure(t.Context(), named("new"), w.of(configMaps, unknown), &j)
	if !apimeta.IsNoMatchError(err) || !strings.Contains(err.Error(), "Nothing.nothing.example.com") {
		t.Errorf("got %v, want an error that names the kind", err)
	}
	if n := len(w.informers.count()); n != 0 || w.Running(named("new"), w.of(configMaps, unknown)) {
		t.Errorf("%d informers are left", n)
	}
	w.ensure("old", w.of(configMaps), &j)
	if err := w.Ensure(t.Context(), named("old"), w.of(configMaps, unknown), &j); err == nil {
		t.Error("no error")
	}
	if !w.Running(named("old"), w.of(configMaps)) {
		t.Error("the plugin does not run any more")
	}
	w.put(w.configMap("a"))
	j.eventually(t, "it goes on", w.request(configMaps, "a"), 0)
}

// TestManager_operatorMayNotList shows that a missing permission results in an error, and not in an endless wait.
func TestManager_operatorMayNotList(t *testing.T) {
	t.Parallel()
	config := rest.CopyConfig(testenv.Shared(t).Config)
	config.Impersonate.UserName = "nobody"
	w := newTestClusterAs(t, config)
	w.namespace = "default"
	w.informers.syncTimeout = 500 * time.Millisecond
	err := w.Ensure(t.Context(), named("a"), w.of(configMaps), &journal{})
	if err == nil || !strings.Contains(err.Error(), "list ConfigMap: not done within") {
		t.Errorf("got %v", err)
	}
	if n := len(w.informers.count()); n != 0 {
		t.Errorf("%d informers are left", n)
	}
	w.informers.syncTimeout = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Ensure(ctx, named("a"), w.of(configMaps), &journal{}) }()
	cancel()
	if err := <-ended; err == nil {
		t.Error("the caller gave up, and there is no error")
	}
}

// TestManager_notStarted shows that Ensure waits for Start, and fails after its end.
func TestManager_notStarted(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	idle := NewManager(w.informers.cache, w.log)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := idle.Ensure(ctx, named("a"), w.of(configMaps), &journal{}); !errors.Is(err, context.Canceled) {
		t.Errorf("before Start: got %v", err)
	}
	w.end()
	if err := w.Ensure(t.Context(), named("a"), w.of(configMaps), &journal{}); !errors.Is(err, errStopped) {
		t.Errorf("after the end: got %v, want %v", err, errStopped)
	}
	if n := len(w.informers.count()); n != 0 {
		t.Errorf("%d informers are left", n)
	}
}

// TestManager_concurrent starts, changes and stops many plugins at the same time.
func TestManager_concurrent(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	for i := range 5 {
		w.put(w.configMap(fmt.Sprintf("cm-%d", i)))
	}
	specs := []Spec{w.of(configMaps), w.of(secrets), w.of(configMaps, secrets), w.of(namespaces, configMaps)}
	var plugins sync.WaitGroup
	for p := range 8 {
		plugins.Go(func() {
			name := named(fmt.Sprintf("plugin-%d", p))
			for round := range 6 {
				var j journal
				if err := w.Ensure(t.Context(), name, specs[(p+round)%len(specs)], &j); err != nil {
					t.Errorf("ensure: %v", err)
				}
				if err := w.Resync(t.Context(), name); err != nil {
					t.Errorf("resync: %v", err)
				}
				w.watched(configMaps)
				_, _ = w.List(t.Context(), configMaps, w.namespace, "") // its kind may be unwatched at the moment
				if round%2 == 1 {
					w.Stop(name)
				}
			}
		})
	}
	plugins.Wait()
	if diff := cmp.Diff(map[schema.GroupVersionKind]int{}, w.informers.count()); diff != "" {
		t.Errorf("informers that nobody uses are left (-want +got):\n%s", diff)
	}
}
