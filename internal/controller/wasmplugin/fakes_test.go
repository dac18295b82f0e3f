// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	apikinds "github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/source/oci"
	"github.com/k1s-io/k1s/internal/watch"
)

// fakeWatches records what is done with the watches of plugins.
type fakeWatches struct {
	Watches

	running           bool
	ensure, resync    error
	stopped, resynced int
}

func (w *fakeWatches) Running(types.NamespacedName, watch.Spec) bool { return w.running }

func (w *fakeWatches) Stop(types.NamespacedName) {
	w.stopped++
	w.running = false
}

func (w *fakeWatches) Resync(context.Context, types.NamespacedName) error {
	w.resynced++
	return w.resync
}

func (w *fakeWatches) Ensure(context.Context, types.NamespacedName, watch.Spec, watch.Reconciler) error {
	w.running = w.ensure == nil
	return w.ensure
}

// fakeWebhooks records what is done with the webhooks of plugins.
type fakeWebhooks struct {
	Webhooks

	set                        []*admission.Plugin
	ensured, unloaded, removed int
	// delete is the result of deleting webhook configurations.
	delete error
}

func (w *fakeWebhooks) Set(p *admission.Plugin)                            { w.set = append(w.set, p) }
func (w *fakeWebhooks) Unload(types.NamespacedName)                        { w.unloaded++ }
func (w *fakeWebhooks) Remove(types.NamespacedName)                        { w.removed++ }
func (w *fakeWebhooks) Delete(context.Context, types.NamespacedName) error { return w.delete }

func (w *fakeWebhooks) Ensure(context.Context, *admission.Plugin) error {
	w.ensured++
	return nil
}

// fakeAuthorizer allows all actions except those with a denied verb.
type fakeAuthorizer struct {
	Authorizer

	denied []string
}

func (a fakeAuthorizer) Authorize(_ context.Context, _ rbac.Identity, action rbac.Action) (rbac.Decision, error) {
	return rbac.Decision{Allowed: !slices.Contains(a.denied, action.Verb)}, nil
}

func (a fakeAuthorizer) Refresh(ctx context.Context, id rbac.Identity, action rbac.Action) (rbac.Decision, error) {
	return a.Authorize(ctx, id, action)
}

func (a fakeAuthorizer) Self(context.Context, rbac.Action) (rbac.Decision, error) {
	return rbac.Decision{Allowed: true}, nil
}

// fakeKinds serves the given kinds, unless it has an error.
type fakeKinds struct {
	Kinds

	served plan.Kinds
	err    error
}

func (k fakeKinds) Resolve(_ context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	if mapping := k.served[gvk]; mapping != nil || k.err != nil {
		return mapping, k.err
	}
	return nil, &apikinds.NotServedError{GVK: gvk}
}

var errUnavailable = errors.New("the API server is not available")

// fakeClient has every object, or none.
type fakeClient struct {
	client.Client

	empty bool
}

func (c fakeClient) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	if c.empty {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	return nil
}

// allowing are permissions that are all granted, on the given kinds.
func allowing(served plan.Kinds) permissions {
	return permissions{client: fakeClient{}, authorizer: fakeAuthorizer{}, kinds: fakeKinds{served: served}, servesWebhooks: true}
}

// fakeDecorators decorate nothing.
type fakeDecorators struct{ Decorators }

func (fakeDecorators) RolledBack(string) {}
func (fakeDecorators) Stops(string)      {}

// fakeArtifacts is a source of one artifact.
type fakeArtifacts struct {
	result    oci.Result
	err       error
	requests  []oci.Request
	forgotten int
}

func (a *fakeArtifacts) Fetch(_ context.Context, r oci.Request) (oci.Result, error) {
	a.requests = append(a.requests, r)
	return a.result, a.err
}

func (a *fakeArtifacts) RequiresSignature(pluginsv1alpha1.OCISource) bool { return false }

func (a *fakeArtifacts) Forget(types.NamespacedName) { a.forgotten++ }
