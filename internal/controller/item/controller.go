// SPDX-License-Identifier: Apache-2.0

package item

import (
	"context"
	"fmt"

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
	Name = "item"
	// FieldManager is the field manager of the controller's writes.
	FieldManager = "k1s/item"
)

// New returns the controller. It adds a field index to the manager's cache, so there can be one controller per manager.
func New(mgr manager.Manager, config embedded.Config) (embedded.Controller, error) {
	if err := addIndex(mgr.GetFieldIndexer()); err != nil {
		return nil, err
	}
	kind := inventoryv1alpha1.GroupVersion.WithKind("Item")
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

// reconciler writes the status of Items.
type reconciler struct {
	reader   client.Reader
	writer   status.Writer
	recorder recorder
	clock    clock.PassiveClock
}

// +kubebuilder:rbac:groups=inventory.example.com,resources=items;categories,verbs=list;watch
// +kubebuilder:rbac:groups=inventory.example.com,resources=items/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile updates the status of one Item.
func (r *reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	item := &inventoryv1alpha1.Item{}
	if err := r.reader.Get(ctx, request.NamespacedName, item); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	exists, err := r.categoryExists(ctx, item)
	if err != nil {
		return reconcile.Result{}, err
	}
	next, changed := nextStatus(item, exists, metav1.NewTime(r.clock.Now()))
	if !changed {
		return reconcile.Result{}, nil
	}
	if err := r.writer.Apply(ctx, item, &next); err != nil {
		return status.Failed(err)
	}
	announce(r.recorder, item, next)
	return reconcile.Result{}, nil
}

// categoryExists reports whether the Item's Category exists. It returns false if the Item names none.
func (r *reconciler) categoryExists(ctx context.Context, item *inventoryv1alpha1.Item) (bool, error) {
	if item.Spec.Category == "" {
		return false, nil
	}
	key := client.ObjectKey{Namespace: item.Namespace, Name: item.Spec.Category}
	err := r.reader.Get(ctx, key, &inventoryv1alpha1.Category{}, client.UnsafeDisableDeepCopy)
	if err := client.IgnoreNotFound(err); err != nil {
		return false, fmt.Errorf("get Category %q: %w", key, err)
	}
	return err == nil, nil
}
