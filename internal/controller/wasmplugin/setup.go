// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/admission"
)

const (
	// The pauses between tries of a load that may succeed next time.
	minRetry = time.Second
	maxRetry = 5 * time.Minute
	// loadSlots is how many plugins are loaded at once; the engine bounds compiling by itself.
	loadSlots = 4
	// maxReconciles is how many plugins are reconciled at once. More than are loaded: deleting and suspending never wait.
	maxReconciles = 2 * loadSlots
)

// Indexes of WasmPlugins, each by what makes them load again when it changes.
const (
	indexConfigMap      = "spec.source.configMap.name"
	indexServiceAccount = "spec.serviceAccountName"
	indexFile           = "spec.source.file"
)

// SetupWithManager registers the controller and what makes plugins load again: their ConfigMap,
// their ServiceAccount, and a value on fileChanges for those from files. Changes of kinds come by KindsChanged.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr manager.Manager, fileChanges <-chan struct{}) error {
	indexes := map[string]func(*pluginsv1alpha1.WasmPlugin) string{
		indexConfigMap: func(wp *pluginsv1alpha1.WasmPlugin) string {
			if wp.Spec.Source.ConfigMap == nil {
				return ""
			}
			return wp.Spec.Source.ConfigMap.Name
		},
		indexServiceAccount: func(wp *pluginsv1alpha1.WasmPlugin) string {
			return cmp.Or(wp.Spec.ServiceAccountName, defaultServiceAccount)
		},
		indexFile: func(wp *pluginsv1alpha1.WasmPlugin) string {
			if wp.Spec.Source.File == nil {
				return ""
			}
			return "true"
		},
	}
	for name, of := range indexes {
		err := mgr.GetFieldIndexer().IndexField(ctx, &pluginsv1alpha1.WasmPlugin{}, name, func(o client.Object) []string {
			wp, ok := o.(*pluginsv1alpha1.WasmPlugin)
			if !ok || of(wp) == "" {
				return nil
			}
			return []string{of(wp)}
		})
		if err != nil {
			return err
		}
	}
	r.loads.slots, r.loads.wake = loadSlots, r.attention.call
	informer, err := mgr.GetCache().GetInformer(ctx, &pluginsv1alpha1.WasmPlugin{}, cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	if _, err := informer.AddEventHandler(r.loads.handler()); err != nil {
		return err
	}
	if err := mgr.Add(everywhere(r.watchRights)); err != nil {
		return err
	}
	if err := mgr.Add(manager.RunnableFunc(r.lead)); err != nil {
		return err
	}
	// Only names matter of these objects, so only metadata is watched.
	b := ctrl.NewControllerManagedBy(mgr).
		Named("wasmplugin").
		For(&pluginsv1alpha1.WasmPlugin{}, builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, deletionBegun(),
		))).
		WatchesMetadata(metadataOf(corev1.SchemeGroupVersion.WithKind("ConfigMap")), r.byIndex(indexConfigMap)).
		WatchesMetadata(metadataOf(corev1.SchemeGroupVersion.WithKind("ServiceAccount")), handler.EnqueueRequestsFromMapFunc(r.ofAccount),
			builder.WithPredicates(existence())).
		WatchesRawSource(source.Func(r.startSweeps)).
		WatchesRawSource(r.onChange(fileChanges, client.MatchingFields{indexFile: "true"})).
		WatchesRawSource(&r.attention).
		WithOptions(controller.Options{
			NeedLeaderElection:      new(false), // see lead
			MaxConcurrentReconciles: maxReconciles,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minRetry, maxRetry),
		})
	if r.Webhooks != nil {
		b = b.WatchesRawSource(r.onChange(r.Webhooks.Changed(), client.HasLabels{}))
		for _, kind := range admission.Kinds() {
			b = b.Watches(kind, handler.EnqueueRequestsFromMapFunc(admission.Requests))
		}
	}
	return b.Complete(r)
}

// everywhere is a runnable of every replica.
type everywhere func(ctx context.Context) error

// Start implements manager.Runnable.
func (f everywhere) Start(ctx context.Context) error { return f(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (everywhere) NeedLeaderElection() bool { return false }

func metadataOf(gvk schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(gvk)
	return o
}

// existence lets only coming and going through.
func existence() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(event.UpdateEvent) bool { return false },
	}
}

// deletionBegun lets through that an object is to be deleted, whether or not that makes a new generation.
func deletionBegun() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetDeletionTimestamp().IsZero() && !e.ObjectNew.GetDeletionTimestamp().IsZero()
		},
	}
}

// byIndex enqueues the plugins of an object's namespace that name it.
func (r *Reconciler) byIndex(index string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		return r.plugins(ctx, client.InNamespace(o.GetNamespace()), client.MatchingFields{index: o.GetName()})
	})
}

// ofAccount enqueues the plugins of a ServiceAccount that came or went, and has decisions about it made anew.
func (r *Reconciler) ofAccount(ctx context.Context, o client.Object) []reconcile.Request {
	r.Authorizer.Drop(access.Change{Subject: access.Subject{Namespace: o.GetNamespace(), ServiceAccount: o.GetName()}})
	return r.plugins(ctx, client.InNamespace(o.GetNamespace()), client.MatchingFields{indexServiceAccount: o.GetName()})
}

// onChange enqueues the plugins that a list with the given option has, for each value on a channel.
func (r *Reconciler) onChange(changes <-chan struct{}, which client.ListOption) source.Source {
	return source.Func(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-changes:
					for _, req := range r.plugins(ctx, which) {
						q.Add(req)
					}
				}
			}
		}()
		return nil
	})
}

func (r *Reconciler) plugins(ctx context.Context, opts ...client.ListOption) []reconcile.Request {
	var list pluginsv1alpha1.WasmPluginList
	if err := r.Client.List(ctx, &list, opts...); err != nil {
		log.FromContext(ctx).Error(err, "Failed to list WasmPlugins")
		return nil
	}
	out := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, reconcile.Request{NamespacedName: types.NamespacedName{
			Namespace: list.Items[i].Namespace, Name: list.Items[i].Name,
		}})
	}
	return out
}
