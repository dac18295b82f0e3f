// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	rbacv1client "k8s.io/client-go/kubernetes/typed/rbac/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// Watch watches Roles, ClusterRoles and their bindings, determines whose permissions a change affects, and
// notifies its listeners. It caches only the names of roles, and the names, subjects and role references of bindings.
type Watch struct {
	log  logr.Logger
	tell []func([]Change)
	// state is called with whether changes are watched.
	state func(watched bool)

	roles, bindings []cache.SharedIndexInformer

	mu       sync.Mutex
	ctx      context.Context //nolint:containedctx // the life of the informers, which tells an error from the end
	failing  map[string]bool // by resource: whether its watch is broken
	watched  bool
	notified bool // whether it was logged that the operator lacks the permission to watch
}

// NewWatch returns a Watch that keeps an Authorizer up to date. The listeners are notified after the
// Authorizer, and must not block. The config needs permission to list and watch what is watched. Without it, the
// Authorizer continues with short lifetimes.
func NewWatch(config *rest.Config, client *http.Client, authorizer *Authorizer, log logr.Logger, listeners ...func([]Change)) (*Watch, error) {
	names, err := metadata.NewForConfigAndClient(metadata.ConfigFor(config), client)
	if err != nil {
		return nil, fmt.Errorf("make a client for roles: %w", err)
	}
	rbac, err := rbacv1client.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("make a client for bindings: %w", err)
	}
	w := &Watch{
		log: log, state: authorizer.Watch, failing: map[string]bool{},
		tell: append([]func([]Change){func(c []Change) { authorizer.Drop(c...) }}, listeners...),
	}
	bindings := rbac.RoleBindings(metav1.NamespaceAll)
	clusterBindings := rbac.ClusterRoleBindings()
	for _, add := range []func() error{
		func() error {
			return w.addBindings("rolebindings", &rbacv1.RoleBinding{}, rbac, &cache.ListWatch{
				ListWithContextFunc:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return bindings.List(ctx, o) },
				WatchFuncWithContext: bindings.Watch,
			})
		},
		func() error {
			return w.addBindings("clusterrolebindings", &rbacv1.ClusterRoleBinding{}, rbac, &cache.ListWatch{
				ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
					return clusterBindings.List(ctx, o)
				},
				WatchFuncWithContext: clusterBindings.Watch,
			})
		},
		func() error { return w.addRoles(names, "roles", kindRole) },
		func() error { return w.addRoles(names, "clusterroles", kindClusterRole) },
	} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica authorizes requests.
func (w *Watch) NeedLeaderElection() bool { return false }

// Start watches until the context is canceled. It does not fail if the operator lacks the permission to watch.
func (w *Watch) Start(ctx context.Context) error {
	ctx = klog.NewContext(ctx, w.log) // client-go logs to the logger of the context
	w.mu.Lock()
	w.ctx = ctx
	w.mu.Unlock()
	var running sync.WaitGroup
	for _, i := range w.informers() {
		running.Go(func() { i.RunWithContext(ctx) })
		running.Go(func() {
			if cache.WaitForCacheSync(ctx.Done(), i.HasSynced) {
				w.update()
			}
		})
	}
	running.Wait()
	return nil
}

func (w *Watch) informers() []cache.SharedIndexInformer {
	return append(append([]cache.SharedIndexInformer{}, w.roles...), w.bindings...)
}

func (w *Watch) addBindings(resource string, example runtime.Object, client any, lw *cache.ListWatch) error {
	i := cache.NewSharedIndexInformer(w.isSubscribed(resource, lw, client), example, 0, byRole())
	w.bindings = append(w.bindings, i)
	return w.prepare(i, stripBinding, func(obj any) []Change {
		b, ok := obj.(*binding)
		if !ok {
			return nil
		}
		return b.changes()
	})
}

func (w *Watch) addRoles(client metadata.Interface, resource, kind string) error {
	names := client.Resource(rbacv1.SchemeGroupVersion.WithResource(resource))
	lw := &cache.ListWatch{
		ListWithContextFunc:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return names.List(ctx, o) },
		WatchFuncWithContext: names.Watch,
	}
	i := cache.NewSharedIndexInformer(w.isSubscribed(resource, lw, client), &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
	w.roles = append(w.roles, i)
	return w.prepare(i, stripName, func(obj any) []Change {
		role, ok := obj.(*metav1.PartialObjectMetadata)
		if !ok {
			return nil
		}
		return w.boundTo(roleKey(kind, role.Namespace, role.Name))
	})
}

func stripName(obj any) (any, error) {
	if o, ok := obj.(*metav1.PartialObjectMetadata); ok {
		return &metav1.PartialObjectMetadata{ObjectMeta: nameOnly(o.ObjectMeta)}, nil
	}
	return obj, nil
}

// boundTo returns the changes that a change of a role causes. A binding that is not in the cache yet causes its own
// change when it is added.
func (w *Watch) boundTo(role string) []Change {
	var out []Change
	for _, i := range w.bindings {
		bound, err := i.GetIndexer().ByIndex(indexRole, role)
		if err != nil {
			w.log.Error(err, "Failed to find a role's bindings", "role", role)
			return []Change{{}}
		}
		for _, b := range bound {
			out = append(out, b.(*binding).changes()...)
		}
	}
	return out
}

// prepare sets an informer's transform, and makes it report the changes that its events cause.
func (w *Watch) prepare(i cache.SharedIndexInformer, strip cache.TransformFunc, meaning func(obj any) []Change) error {
	if err := i.SetTransform(strip); err != nil {
		return fmt.Errorf("set what is kept: %w", err)
	}
	// isSubscribed reports those of these errors that matter.
	if err := i.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		w.log.V(1).Info("A watch on RBAC objects ended", "error", err.Error())
	}); err != nil {
		return fmt.Errorf("set how errors are handled: %w", err)
	}
	_, err := i.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(obj any, initial bool) {
			if !initial { // when the initial list is complete, update reports that everything has changed
				w.changed(meaning(obj))
			}
		},
		UpdateFunc: func(before, after any) {
			if versionOf(before) != versionOf(after) {
				w.changed(append(meaning(before), meaning(after)...))
			}
		},
		DeleteFunc: func(obj any) {
			if deleted, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = deleted.Obj
			}
			w.changed(meaning(obj))
		},
	})
	if err != nil {
		return fmt.Errorf("listen to changes: %w", err)
	}
	return nil
}

func versionOf(obj any) string {
	if o, ok := obj.(metav1.Object); ok {
		return o.GetResourceVersion()
	}
	return ""
}

func (w *Watch) changed(changes []Change) {
	if len(changes) == 0 {
		return
	}
	for _, tell := range w.tell {
		tell(changes)
	}
}

// isSubscribed wraps a ListWatch to report whether its watch works.
func (w *Watch) isSubscribed(resource string, lw *cache.ListWatch, client any) cache.ListerWatcher {
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := lw.ListWithContextFunc(ctx, o)
			if err != nil { // a list alone does not observe changes
				w.notify(ctx, resource, err)
			}
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			stream, err := lw.WatchFuncWithContext(ctx, o)
			w.notify(ctx, resource, err)
			return stream, err
		},
	}, client)
}

// notify records whether the watch of a resource works.
func (w *Watch) notify(ctx context.Context, resource string, err error) {
	if ctx.Err() != nil {
		return // the shutdown is not a failure
	}
	w.mu.Lock()
	w.failing[resource] = err != nil
	first := apierrors.IsForbidden(err) && !w.notified
	w.notified = w.notified || first
	w.mu.Unlock()
	if first {
		w.log.Info("The operator cannot watch Roles, ClusterRoles and their bindings: revoking a plugin's permissions takes effect after "+
			allowUnwatched.String()+", not at once; grant the operator list and watch on them", "error", err.Error())
	}
	w.update()
}

// update determines whether changes are watched. When this becomes true, all permissions count as changed.
func (w *Watch) update() {
	w.mu.Lock()
	defer w.mu.Unlock()
	watched := w.ctx != nil && w.ctx.Err() == nil
	for _, i := range w.informers() {
		watched = watched && i.HasSynced()
	}
	for _, failing := range w.failing {
		watched = watched && !failing
	}
	if watched == w.watched {
		return
	}
	w.watched = watched
	w.state(watched)
	if watched {
		w.changed([]Change{{}})
	}
}
