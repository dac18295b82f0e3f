// SPDX-License-Identifier: Apache-2.0

package category

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/embedded"
	"github.com/k1s-io/k1s/internal/embedded/status"
)

const (
	// Name is the controller's name in the registry, logs and metrics.
	Name = "category"
	// FieldManager is the field manager of the controller's writes.
	FieldManager = "k1s/category"
)

// New returns the controller. It adds field indexes to the manager's cache, so there can be one controller per manager.
func New(mgr manager.Manager, config embedded.Config) (embedded.Controller, error) {
	if err := addIndexes(mgr.GetFieldIndexer()); err != nil {
		return nil, err
	}
	kind := inventoryv1alpha1.GroupVersion.WithKind("Category")
	return embedded.New(mgr, embedded.Options{
		Name:     Name,
		ForTypes: []schema.GroupVersionKind{kind},
		Reconciler: &reconciler{
			reader:   mgr.GetClient(),
			writer:   status.Writer{Client: mgr.GetClient(), FieldManager: FieldManager, Kind: kind},
			recorder: mgr.GetEventRecorder(FieldManager),
			clock:    clock.RealClock{},
		},
		Watches: watches(mgr.GetCache(), mgr.GetLogger().WithValues("controller", Name)),
		Config:  config,
	})
}

// reconciler writes the status of Categories.
type reconciler struct {
	reader   client.Reader
	writer   status.Writer
	recorder recorder
	clock    clock.PassiveClock
}

// +kubebuilder:rbac:groups=inventory.example.com,resources=items;categories,verbs=list;watch
// +kubebuilder:rbac:groups=inventory.example.com,resources=categories/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile updates the status of one Category.
func (r *reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	category := &inventoryv1alpha1.Category{}
	if err := r.reader.Get(ctx, request.NamespacedName, category); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	t := tree{reader: r.reader, namespace: request.Namespace}
	counts, err := t.count(ctx, request.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	verdict, err := evaluate(category.Name, category.Spec.Parent, t.parent(ctx))
	if err != nil {
		return reconcile.Result{}, err
	}
	next, changed := nextStatus(category, counts, verdict, metav1.NewTime(r.clock.Now()))
	if !changed {
		return reconcile.Result{}, nil
	}
	if err := r.writer.Apply(ctx, category, &next); err != nil {
		return status.Failed(err)
	}
	announce(r.recorder, category, next)
	return reconcile.Result{}, nil
}
