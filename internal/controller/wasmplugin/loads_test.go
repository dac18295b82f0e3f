// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// pluginNamed parses "namespace/name" with one letter each.
func pluginNamed(s string) types.NamespacedName {
	return types.NamespacedName{Namespace: s[:1], Name: s[2:]}
}

// turns runs loads step by step: a plugin that was woken begins its load, as the controller would have it.
type turns struct {
	t      *testing.T
	loads  loads
	woken  []string
	cancel map[string]bool
}

func newTurns(t *testing.T, slots int) *turns {
	t.Helper()
	s := &turns{t: t, cancel: map[string]bool{}}
	s.loads = loads{slots: slots, wake: func(name types.NamespacedName) { s.woken = append(s.woken, name.Namespace+"/"+name.Name) }}
	return s
}

func (s *turns) begin(name string, want bool) {
	s.t.Helper()
	if got := s.loads.begin(pluginNamed(name), func() { s.cancel[name] = true }); got != want {
		s.t.Fatalf("%s begins: %t, want %t", name, got, want)
	}
}

func (s *turns) end(name string, woken ...string) {
	s.t.Helper()
	s.woken = nil
	s.loads.end(pluginNamed(name))
	if !slices.Equal(s.woken, woken) {
		s.t.Errorf("the end of %s wakes %q, want %q", name, s.woken, woken)
	}
}

// TestLoads_fair shows that a namespace has one slot, however many plugins it has, and that the others get theirs in
// turn.
func TestLoads_fair(t *testing.T) {
	t.Parallel()
	s := newTurns(t, 2)
	s.begin("a/1", true)
	s.begin("a/2", false)
	s.begin("a/3", false)
	s.begin("b/1", true)
	s.begin("c/1", false)
	s.begin("a/2", false) // reconciled again while it waits
	s.end("a/1", "a/2")   // a/2 arrived first, and its namespace has no slot any more
	s.begin("a/3", false)
	s.begin("a/2", true)
	s.end("a/2", "a/3")
	s.begin("a/3", true)
	s.end("b/1", "c/1")
	s.begin("d/1", false) // the slot is reserved for c/1
	s.begin("c/1", true)
	s.end("a/3", "d/1")
	s.begin("d/1", true)
	s.end("c/1")
	s.end("d/1")
	if len(s.loads.active) != 0 || len(s.loads.waiting) != 0 {
		t.Errorf("left: %v, %v", s.loads.active, s.loads.waiting)
	}
}

// TestLoads_leave shows that a plugin that leaves while it waits, or while a slot is reserved for it, blocks no other
// one.
func TestLoads_leave(t *testing.T) {
	t.Parallel()
	s := newTurns(t, 1)
	s.begin("a/1", true)
	s.begin("b/1", false)
	s.begin("c/1", false)
	s.begin("d/1", false)
	s.loads.leave(pluginNamed("b/1"))
	s.end("a/1", "c/1")
	s.woken = nil
	s.loads.leave(pluginNamed("c/1"))
	if !slices.Equal(s.woken, []string{"d/1"}) {
		t.Errorf("woken: %q, want d/1", s.woken)
	}
	s.begin("d/1", true)
	s.loads.leave(pluginNamed("d/1")) // a load in progress keeps its slot
	s.begin("e/1", false)
	s.end("d/1", "e/1")
}

func TestLoads_handler(t *testing.T) {
	t.Parallel()
	object := func(generation int64, deleted bool) *pluginsv1alpha1.WasmPlugin {
		wp := &pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "1", Generation: generation}}
		if deleted {
			now := metav1.Now()
			wp.DeletionTimestamp = &now
		}
		return wp
	}
	for name, tt := range map[string]struct {
		event func(l *loads)
		want  bool
	}{
		"its spec changes":   {func(l *loads) { l.handler().OnUpdate(object(1, false), object(2, false)) }, true},
		"it is to be gone":   {func(l *loads) { l.handler().OnUpdate(object(1, false), object(1, true)) }, true},
		"it is gone":         {func(l *loads) { l.handler().OnDelete(object(1, false)) }, true},
		"its status changes": {func(l *loads) { l.handler().OnUpdate(object(1, false), object(1, false)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var canceled bool
			l := &loads{slots: 1, wake: func(types.NamespacedName) {}}
			done := l.do(t.Context(), pluginNamed("a/1"), func(ctx context.Context) {
				tt.event(l)
				canceled = ctx.Err() != nil
			})
			if !done || canceled != tt.want {
				t.Errorf("the load is canceled: %t, want %t", canceled, tt.want)
			}
		})
	}
}

// oneObject is a client for a cluster with one WasmPlugin.
type oneObject struct {
	client.Client
	plugin pluginsv1alpha1.WasmPlugin
}

func (c *oneObject) Get(_ context.Context, _ client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	c.plugin.DeepCopyInto(into.(*pluginsv1alpha1.WasmPlugin))
	return nil
}

// fetching is a source of modules.
type fetching func(context.Context) error

func (f fetching) Fetch(ctx context.Context, _ string, _ pluginsv1alpha1.ConfigMapSource) (plugin.Module, error) {
	return plugin.Module{}, f(ctx)
}

// TestReconciler_canceledLoad shows that a canceled load is always retried: the change of the spec that cancels the
// load may be the one that started it, because two handlers receive its event one after the other.
func TestReconciler_canceledLoad(t *testing.T) {
	t.Parallel()
	name := types.NamespacedName{Namespace: "shop", Name: "annotator"}
	wp := pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name, Generation: 2}}
	wp.Spec.Source.ConfigMap = &pluginsv1alpha1.ConfigMapSource{Name: "annotator"}
	before := wp.DeepCopy()
	before.Generation = 1
	var r *Reconciler
	r = New(Config{
		Client: &oneObject{plugin: wp}, Revisions: NewRevisions(nil, clock.RealClock{}), Artifacts: &fakeArtifacts{},
		ConfigMaps: fetching(func(ctx context.Context) error {
			r.loads.handler().OnUpdate(before, &wp)
			return ctx.Err()
		}),
	})
	result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: name})
	if err != nil || result.RequeueAfter <= 0 {
		t.Errorf("got %+v and %v, want that it is reconciled again", result, err)
	}
}
