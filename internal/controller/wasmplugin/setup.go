// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"slices"
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
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/admission"
)

const (
	// The shortest and the longest delay before a failed load is retried.
	minRetry = time.Second
	maxRetry = 5 * time.Minute
	// loadSlots is how many plugins are loaded at once. The engine limits concurrent compilations by itself.
	loadSlots = 4
	// maxReconciles is how many plugins are reconciled at once. It is greater than loadSlots, so that deletion and
	// suspension never wait for a load.
	maxReconciles = 2 * loadSlots
)

// Names of the field indexes of WasmPlugins. Each index finds the plugins to load again after a change of what it is
// named after.
const (
	indexConfigMap      = "spec.source.configMaps"
	indexServiceAccount = "spec.serviceAccountName"
	indexFile           = "spec.source.file"
)

// SetupWithManager registers the controller and what triggers reloads: events of the plugins' ConfigMaps and
// ServiceAccounts, and a value on fileChanges for plugins from files. KindsChanged handles changes of kinds.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr manager.Manager, fileChanges <-chan struct{}) error {
	indexes := map[string]func(*pluginsv1alpha1.WasmPlugin) []string{
		indexConfigMap: func(wp *pluginsv1alpha1.WasmPlugin) []string { return configMapsOf(wp.Spec.Source) },
		indexServiceAccount: func(wp *pluginsv1alpha1.WasmPlugin) []string {
			return []string{wp.Spec.ServiceAccount()}
		},
		indexFile: func(wp *pluginsv1alpha1.WasmPlugin) []string {
			if wp.Spec.Source.File == nil {
				return nil
			}
			return []string{"true"}
		},
	}
	for name, of := range indexes {
		err := mgr.GetFieldIndexer().IndexField(ctx, &pluginsv1alpha1.WasmPlugin{}, name, func(o client.Object) []string {
			wp, ok := o.(*pluginsv1alpha1.WasmPlugin)
			if !ok {
				return nil
			}
			return of(wp)
		})
		if err != nil {
			return err
		}
	}
	informer, err := mgr.GetCache().GetInformer(ctx, &pluginsv1alpha1.WasmPlugin{}, cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	if _, err := informer.AddEventHandler(r.loads.handler()); err != nil {
		return err
	}
	if err := mgr.Add(&r.checks); err != nil {
		return err
	}
	if err := mgr.Add(manager.RunnableFunc(r.lead)); err != nil {
		return err
	}
	// Only the names of these objects matter, so only metadata is watched.
	b := ctrl.NewControllerManagedBy(mgr).
		Named("wasmplugin").
		For(&pluginsv1alpha1.WasmPlugin{}, builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, deletionBegun(),
		))).
		WatchesMetadata(metadataOf(corev1.SchemeGroupVersion.WithKind("ConfigMap")), r.byIndex(indexConfigMap)).
		WatchesMetadata(metadataOf(corev1.SchemeGroupVersion.WithKind("ServiceAccount")), handler.EnqueueRequestsFromMapFunc(r.ofServiceAccount),
			builder.WithPredicates(existence())).
		WatchesRawSource(source.Func(r.sweeps.start)).
		WatchesRawSource(r.onChange(fileChanges, client.MatchingFields{indexFile: "true"})).
		WatchesRawSource(&r.enqueuer).
		WithOptions(controller.Options{
			NeedLeaderElection:      new(false), // see lead
			MaxConcurrentReconciles: maxReconciles,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minRetry, maxRetry),
		})
	if r.publish.webhooks.server != nil {
		b = b.WatchesRawSource(r.onChange(r.publish.webhooks.server.Changed(), client.HasLabels{}))
		for _, kind := range admission.Kinds() {
			b = b.Watches(kind, handler.EnqueueRequestsFromMapFunc(admission.Requests))
		}
	}
	return b.Complete(r)
}

// configMapsOf returns the names of the ConfigMaps that a source refers to.
func configMapsOf(s pluginsv1alpha1.Source) (names []string) {
	if s.ConfigMap != nil {
		names = append(names, s.ConfigMap.Name)
	}
	if s.OCI == nil {
		return names
	}
	if s.OCI.CABundle != nil {
		names = append(names, s.OCI.CABundle.Name)
	}
	if s.OCI.Verify == nil || s.OCI.Verify.Cosign == nil {
		return names
	}
	for _, key := range s.OCI.Verify.Cosign.PublicKeys {
		if key.ConfigMapKeyRef != nil {
			names = append(names, key.ConfigMapKeyRef.Name)
		}
	}
	if k := s.OCI.Verify.Cosign.Keyless; k != nil && k.TrustedRoot != nil {
		names = append(names, k.TrustedRoot.Name)
	}
	return names
}

// refersToSecret reports whether a spec has settings, credentials or keys in Secrets.
func refersToSecret(s pluginsv1alpha1.WasmPluginSpec) bool {
	if len(s.SettingsFrom) > 0 {
		return true
	}
	oci := s.Source.OCI
	if oci == nil {
		return false
	}
	return len(oci.PullSecrets) > 0 || oci.Verify != nil && oci.Verify.Cosign != nil &&
		slices.ContainsFunc(oci.Verify.Cosign.PublicKeys, func(k pluginsv1alpha1.PublicKey) bool { return k.SecretKeyRef != nil })
}

func metadataOf(gvk schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(gvk)
	return o
}

// existence accepts only the creation and the deletion of an object.
func existence() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(event.UpdateEvent) bool { return false },
	}
}

// deletionBegun accepts the update that sets an object's deletionTimestamp, whether or not it changes the generation.
func deletionBegun() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetDeletionTimestamp().IsZero() && !e.ObjectNew.GetDeletionTimestamp().IsZero()
		},
	}
}

// byIndex enqueues the plugins in an object's namespace that refer to the object.
func (r *Reconciler) byIndex(index string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		return r.plugins(ctx, client.InNamespace(o.GetNamespace()), client.MatchingFields{index: o.GetName()})
	})
}

// ofServiceAccount enqueues the plugins of a ServiceAccount that was created or deleted, and drops the cached decisions about
// it.
func (r *Reconciler) ofServiceAccount(ctx context.Context, o client.Object) []reconcile.Request {
	r.authorizer.Drop(rbac.Change{Subject: rbac.Subject{Namespace: o.GetNamespace(), ServiceAccount: o.GetName()}})
	return r.plugins(ctx, client.InNamespace(o.GetNamespace()), client.MatchingFields{indexServiceAccount: o.GetName()})
}

// onChange enqueues the plugins that match a list option, for each value received from a channel.
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
	if err := r.client.List(ctx, &list, opts...); err != nil {
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
