// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// recordingFinalizer is a Finalizer that records its calls.
type recordingFinalizer struct {
	Finalizer

	done *[]string
	err  error
}

func (recordingFinalizer) On(o metav1.Object) bool { return slices.Contains(o.GetFinalizers(), "ours") }

func (n recordingFinalizer) Put(context.Context, schema.GroupVersionResource, metav1.Object) error {
	*n.done = append(*n.done, "put")
	return n.err
}

func (n recordingFinalizer) Remove(context.Context, schema.GroupVersionResource, metav1.Object) error {
	*n.done = append(*n.done, "remove")
	return n.err
}

func (n recordingFinalizer) Release(context.Context, schema.GroupVersionResource, metav1.Object) error {
	*n.done = append(*n.done, "release")
	return n.err
}

// fakeRunner is a guest that always gives the same answer, and records which export was called.
type fakeRunner struct {
	done  *[]string
	reply string
	err   error
}

func (a fakeRunner) Call(_ context.Context, call plugin.Call) ([]byte, error) {
	*a.done = append(*a.done, call.Export)
	return []byte(a.reply), a.err
}
func (fakeRunner) Close(context.Context) error { return nil }

// oneObjectCache is a cache with one object.
type oneObjectCache struct {
	always

	object *unstructured.Unstructured
}

func (h oneObjectCache) Object(context.Context, schema.GroupVersionKind, string, string) (*unstructured.Unstructured, error) {
	return h.object, nil
}

// hammer returns an object in a state.
func hammer(state ...string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetNamespace("shop")
	o.SetName("hammer")
	o.SetLabels(map[string]string{"kept": "yes"})
	for _, s := range state {
		switch s {
		case "held":
			o.SetFinalizers([]string{"others", "ours"})
		case "going":
			o.SetDeletionTimestamp(&metav1.Time{Time: time.Unix(1, 0)})
		case "elsewhere":
			o.SetNamespace("elsewhere")
		case "unselected":
			o.SetLabels(nil)
		}
	}
	return o
}

func TestDispatcher_Reconcile_finalization(t *testing.T) {
	t.Parallel()
	invalid := &plugin.CallError{Kind: plugin.KindGuest, Export: abi.ExportFinalize, Status: &metav1.Status{Reason: metav1.StatusReasonInvalid}}
	both := []plugin.Capability{plugin.CapabilityReconcile, plugin.CapabilityFinalization}
	for name, tc := range map[string]struct {
		why          string
		capabilities []plugin.Capability
		state        []string
		guest        fakeRunner
		err          error // of the finalizer's change
		want         []string
		retried      time.Duration
		fails        bool
	}{
		"new":                {"the finalizer is added before the plugin receives it", both, nil, fakeRunner{}, nil, []string{"put"}, 0, false},
		"cannot-be-held":     {"without a hold there is no reconcile", both, nil, fakeRunner{}, errors.New("no"), []string{"put"}, 0, true},
		"held":               {"all is as it has to be", both, []string{"held"}, fakeRunner{}, nil, []string{"reconcile"}, 0, false},
		"going":              {"it was never the plugin's", both, []string{"going"}, fakeRunner{}, nil, []string{"reconcile"}, 0, false},
		"done":               {"an empty reply lets it go", both, []string{"held", "going"}, fakeRunner{}, nil, []string{"finalize", "remove"}, 0, false},
		"done-zero":          {"so does no wish to be called again", both, []string{"held", "going"}, fakeRunner{reply: `{}`}, nil, []string{"finalize", "remove"}, 0, false},
		"not-done":           {"it is kept until then", both, []string{"held", "going"}, fakeRunner{reply: `{"requeueAfterMillis":70}`}, nil, []string{"finalize"}, 70 * time.Millisecond, false},
		"invalid":            {"no error lets it go, nor ends the tries", both, []string{"held", "going"}, fakeRunner{err: invalid}, nil, []string{"finalize"}, 0, true},
		"cannot-be-let-go":   {"it is retried", both, []string{"held", "going"}, fakeRunner{}, errors.New("no"), []string{"finalize", "remove"}, 0, true},
		"left-its-selector":  {"no event would report its deletion", both, []string{"held", "unselected"}, fakeRunner{}, nil, []string{"release", "reconcile"}, 0, false},
		"left-while-going":   {"nor whether it is being deleted", both, []string{"held", "going", "unselected"}, fakeRunner{}, nil, []string{"release", "reconcile"}, 0, false},
		"of-no-namespace":    {"that is no longer in the spec", both, []string{"held", "elsewhere"}, fakeRunner{}, nil, []string{"release"}, 0, false},
		"never-of-namespace": {"not the plugin's business", both, []string{"elsewhere"}, fakeRunner{}, nil, nil, 0, false},
		"unselected":         {"it receives what has just left its selector", both, []string{"unselected"}, fakeRunner{}, nil, []string{"reconcile"}, 0, false},
		"finalize-only":      {"reconcile is nothing that it has", both[1:], []string{"held"}, fakeRunner{}, nil, nil, 0, false},
		"finalize-only-done": {"but finalize is", both[1:], []string{"held", "going"}, fakeRunner{}, nil, []string{"finalize", "remove"}, 0, false},
		"reconcile-only":     {"another's finalizer is no business of its", both[:1], []string{"held", "going"}, fakeRunner{}, nil, []string{"reconcile"}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var done, notified []string
			tc.guest.done = &done
			o := hammer(tc.state...)
			d := &dispatcher{
				runner: tc.guest, objects: oneObjectCache{object: o}, authorizer: always{},
				notify: func(reason, _ string) { notified = append(notified, reason) },
			}
			r := &scope{
				plan: plan.Plan{Capabilities: tc.capabilities, Watch: watch.Spec{
					Targets:    []plugin.Target{{GVK: item(), Selector: labels.SelectorFromSet(labels.Set{"kept": "yes"})}},
					Namespaces: []string{"shop"},
				}},
				kinds: plan.Kinds{item(): &meta.RESTMapping{Scope: meta.RESTScopeNamespace}},
			}
			if r.plan.Has(plugin.CapabilityFinalization) {
				r.finalizer = recordingFinalizer{done: &done, err: tc.err}
			}
			d.scope.Store(r)
			req := watch.Request{GVK: item(), NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}}
			result, err := d.Reconcile(t.Context(), req, watch.Turn{Attempt: 1})
			if diff := cmp.Diff(tc.want, done); diff != "" {
				t.Errorf("%s: %s", tc.why, diff)
			}
			if result.RequeueAfter != tc.retried || (err != nil) != tc.fails || errors.Is(err, reconcile.TerminalError(nil)) {
				t.Errorf("%s: got %+v, %v", tc.why, result, err)
			}
			if tc.fails != slices.Equal(notified, []string{reasonFinalizeFailed}) {
				t.Errorf("told %q", notified)
			}
		})
	}
}
