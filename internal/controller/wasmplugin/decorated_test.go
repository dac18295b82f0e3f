// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

func TestCheckBatch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		exports plugin.ExportSet
		batch   int
		denied  bool
	}{
		"has it":       {plugin.ExportSet{abi.ExportReconcileBatch: true}, 8, false},
		"lacks it":     {plugin.ExportSet{abi.ExportReconcile: true}, 8, true},
		"does not ask": {nil, 0, false},
		"asks for one": {nil, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := checkBatch(tc.exports, plugin.Metadata{MaxBatch: tc.batch})
			var load *plugin.LoadError
			if denied := errors.As(err, &load); denied != tc.denied || denied && load.Reason != pluginsv1alpha1.ReasonMissingExport {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestWorkers shows that there are more workers than instances only if waiting requests are joined into batches.
func TestWorkers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ instances, batch, want int }{
		{4, 0, 4}, {4, 1, 4}, {4, 8, 32}, {1, 256, 256}, {4, 256, maxWorkers}, {64, 256, maxWorkers},
	} {
		if got := workers(tc.instances, tc.batch); got != tc.want {
			t.Errorf("%d instances, batches of %d: got %d, want %d", tc.instances, tc.batch, got, tc.want)
		}
	}
	p, err := newPlan(wasmPlugin(nil), plugin.Metadata{
		Capabilities: []plugin.Capability{plugin.CapabilityReconcile}, ForTypes: []schema.GroupVersionKind{item()}, MaxBatch: 8,
	})
	if err != nil || p.watch.MaxConcurrentReconciles != 8*defaultMaxInstances {
		t.Errorf("got %d, %v", p.watch.MaxConcurrentReconciles, err)
	}
}

func TestNewPlan_rate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ rate, burst, want int32 }{{0, 0, 0}, {50, 0, 100}, {50, 7, 7}} {
		p, err := newPlan(wasmPlugin(func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Security.RequestsPerSecond, s.Security.Burst = tc.rate, tc.burst
		}), plugin.Metadata{Capabilities: []plugin.Capability{plugin.CapabilityReconcile}, ForTypes: []schema.GroupVersionKind{item()}})
		if err != nil || p.requestsPerSecond != int(tc.rate) || p.burst != int(tc.want) {
			t.Errorf("%+v: got %d, %d, %v", tc, p.requestsPerSecond, p.burst, err)
		}
	}
}

func TestBreakerEvent(t *testing.T) {
	t.Parallel()
	digest := plugin.DigestOf(nil)
	opened := breakerEvent(digest, plugin.BreakerChange{Open: true, Cause: errors.New("unreachable"), RetryAfter: time.Second})
	if opened.kind != corev1.EventTypeWarning || opened.reason != reasonBreakerOpened ||
		!containsEach(opened.note, digest.Short(), "1s", "unreachable") {
		t.Errorf("got %+v", opened)
	}
	closed := breakerEvent(digest, plugin.BreakerChange{})
	if closed.kind != corev1.EventTypeNormal || closed.reason != reasonBreakerClosed || !containsEach(closed.note, digest.Short()) {
		t.Errorf("got %+v", closed)
	}
}

func containsEach(text string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// always is an Authorizer that allows everything, and a cache that has every object.
type always struct{ Authorizer }

func (always) Authorize(context.Context, access.Identity, access.Action) (access.Decision, error) {
	return access.Decision{Allowed: true}, nil
}

func (always) Object(context.Context, schema.GroupVersionKind, string, string) (*unstructured.Unstructured, error) {
	return &unstructured.Unstructured{Object: map[string]any{}}, nil
}

// failing is a Runner that always fails with one error.
type failing struct{ err error }

func (f failing) Call(context.Context, plugin.Call) ([]byte, error) { return nil, f.err }
func (failing) Close(context.Context) error                         { return nil }

// TestDispatcher_Reconcile_unavailable shows that an object that an open circuit breaker keeps from the guest is
// requeued, without a failure and without an event for each object.
func TestDispatcher_Reconcile_unavailable(t *testing.T) {
	t.Parallel()
	var events []string
	d := &dispatcher{objects: always{}, authorizer: always{}, notify: func(_, note string) { events = append(events, note) }}
	reconciles := plan{capabilities: []plugin.Capability{plugin.CapabilityReconcile}, watch: watch.Spec{Namespaces: []string{"shop"}}}
	d.rights.Store(&rights{plan: reconciles, kinds: kinds{item(): &meta.RESTMapping{Scope: meta.RESTScopeNamespace}}})
	req := watch.Request{GVK: item(), NamespacedName: types.NamespacedName{Namespace: "shop", Name: "hammer"}}

	const pause = 8 * time.Second
	d.runner = failing{&plugin.CallError{Kind: plugin.KindUnavailable, Err: errors.New("open"), RetryAfter: pause}}
	for range 100 {
		result, err := d.Reconcile(t.Context(), req, watch.Turn{Attempt: 1})
		if err != nil || result.RequeueAfter < pause || result.RequeueAfter > pause+pause/4 {
			t.Fatalf("got %+v, %v, want it again after %s and not much more", result, err, pause)
		}
	}
	if len(events) != 0 {
		t.Errorf("told %q", events)
	}
	d.runner = failing{&plugin.CallError{Kind: plugin.KindTrap, Err: errors.New("unreachable")}}
	if result, err := d.Reconcile(t.Context(), req, watch.Turn{Attempt: 1}); err == nil || result.RequeueAfter != 0 || len(events) != 1 {
		t.Errorf("a trap: got %+v, %v, told %q", result, err, events)
	}
}
