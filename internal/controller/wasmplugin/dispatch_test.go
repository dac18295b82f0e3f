// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// always is an Authorizer that allows everything, and a cache that has every object.
type always struct{ Authorizer }

func (always) Authorize(context.Context, rbac.Identity, rbac.Action) (rbac.Decision, error) {
	return rbac.Decision{Allowed: true}, nil
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
	reconciles := plan.Plan{Capabilities: []plugin.Capability{plugin.CapabilityReconcile}, Watch: watch.Spec{Namespaces: []string{"shop"}}}
	d.scope.Store(&scope{plan: reconciles, kinds: plan.Kinds{item(): &meta.RESTMapping{Scope: meta.RESTScopeNamespace}}})
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
