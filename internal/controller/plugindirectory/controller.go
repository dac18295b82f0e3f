// SPDX-License-Identifier: Apache-2.0

// Package plugindirectory implements the controller that creates WasmPlugins from the definitions in the operator's
// plugin directory, so that plugins from files run, fail and are visible exactly like all others. See
// docs/adr/0004-directory-plugins.md.
package plugindirectory

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/directory"
)

// fieldManager is the field manager of the WasmPlugins that are created from files.
const fieldManager = "k1s-directory"

// Directory finds what the plugin directory contains.
type Directory interface {
	Discover() (directory.Found, error)
}

// Reconciler keeps the WasmPlugins of one namespace in sync with a directory.
type Reconciler struct {
	Client    client.Client
	Directory Directory
	// Namespace is where the WasmPlugins are created.
	Namespace string
}

// +kubebuilder:rbac:groups=plugins.k1s.io,resources=wasmplugins,verbs=list;watch
// +kubebuilder:rbac:groups=plugins.k1s.io,resources=wasmplugins,verbs=create;update;delete,namespace=k1s-system

// Reconcile compares the whole directory with the existing WasmPlugins, whatever the request is.
func (r *Reconciler) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	found, err := r.Directory.Discover()
	if err != nil {
		return ctrl.Result{}, err
	}
	var list pluginsv1alpha1.WasmPluginList
	if err := r.Client.List(ctx, &list, client.InNamespace(r.Namespace)); err != nil {
		return ctrl.Result{}, fmt.Errorf("list WasmPlugins: %w", err)
	}
	var failed []error // one plugin's failure must not keep the others from loading
	for _, change := range decide(found, list.Items, r.Namespace) {
		err := r.apply(ctx, change)
		if apierrors.IsInvalid(err) {
			blaming, needed := isRejected(change, list.Items, err)
			err = nil // a retry is useless before the file changes
			if needed {
				err = r.apply(ctx, blaming)
			}
		}
		failed = append(failed, err)
	}
	return ctrl.Result{}, errors.Join(failed...)
}

// apply executes one change.
func (r *Reconciler) apply(ctx context.Context, c change) error {
	l := log.FromContext(ctx).WithValues("plugin", c.plugin.Name)
	var err error
	switch c.kind {
	case create:
		err = r.Client.Create(ctx, c.plugin, client.FieldOwner(fieldManager))
	case update:
		err = r.Client.Update(ctx, c.plugin, client.FieldOwner(fieldManager))
	case remove:
		// A WasmPlugin that has changed since it was read may not be the directory's any more.
		err = client.IgnoreNotFound(r.Client.Delete(ctx, c.plugin, client.Preconditions{
			UID: &c.plugin.UID, ResourceVersion: &c.plugin.ResourceVersion,
		}))
	case foreign:
		l.Info("A file defines a plugin whose name a WasmPlugin made by somebody else has; rename one of them", "file", c.file)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s WasmPlugin %q of %s: %w", c.kind, c.plugin.Name, c.file, err)
	}
	l.Info("Plugin directory changed a WasmPlugin", "change", c.kind.String(), "file", c.file)
	return nil
}

// SetupWithManager registers the controller, which reconciles on every value received from changes, and whenever one of
// the WasmPlugins in the namespace changes.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, changes <-chan struct{}) error {
	look := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: r.Namespace, Name: "plugin-directory"}}
	return ctrl.NewControllerManagedBy(mgr).
		Named("plugindirectory").
		Watches(&pluginsv1alpha1.WasmPlugin{},
			handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
				return []reconcile.Request{look}
			}),
			builder.WithPredicates(
				predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetNamespace() == r.Namespace }),
				predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{}),
			)).
		WatchesRawSource(source.Func(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			go func() {
				for {
					select {
					case <-ctx.Done():
						return
					case <-changes:
						q.Add(look)
					}
				}
			}()
			return nil
		})).
		Complete(r)
}
