// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// staleRetry is when to look again at an object that the cache had an old version of. The event of the
// new version comes sooner; this is for a controller whose predicates keep that event out.
const staleRetry = time.Second

// Writer applies statuses of one kind under one field manager.
type Writer struct {
	// Client writes the status subresource.
	Client client.StatusClient
	// FieldManager owns what is written.
	FieldManager string
	// Kind is the kind of the objects.
	Kind schema.GroupVersionKind
}

// Apply makes status, a pointer to a status struct, the whole of what the field manager owns: what it
// owned before and leaves empty now goes away, what others own stays. It takes a field over from
// others, as there is one controller per kind and what it says is what holds.
//
// The object is the version that the status was computed from. If the API server has a newer one, the
// error is a conflict and nothing is written: otherwise a cache that has not yet seen the last write
// would have it repeated, with new times. An object that is gone is no error: there is nothing left to
// describe.
func (w Writer) Apply(ctx context.Context, object client.Object, status any) error {
	key := client.ObjectKeyFromObject(object)
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(status)
	if err != nil {
		return fmt.Errorf("convert the status of %s %q: %w", w.Kind.Kind, key, err)
	}
	applied := &unstructured.Unstructured{Object: map[string]any{"status": fields}}
	applied.SetGroupVersionKind(w.Kind)
	applied.SetNamespace(key.Namespace)
	applied.SetName(key.Name)
	applied.SetResourceVersion(object.GetResourceVersion())
	err = w.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(applied),
		client.FieldOwner(w.FieldManager), client.ForceOwnership)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("apply the status of %s %q: %w", w.Kind.Kind, key, err)
	}
	return nil
}

// Failed turns the error of Apply into the result of a reconcile: a conflict is the cache being late,
// which is no failure and passes by itself.
func Failed(err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: staleRetry}, nil
	}
	return reconcile.Result{}, err
}
