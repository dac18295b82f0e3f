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

// staleRetry is the delay before an object is reconciled again of which the cache had an old version. The event of the
// new version comes sooner. The delay is for a controller whose predicates filter out that event.
const staleRetry = time.Second

// Writer applies the statuses of one kind's objects with one field manager.
type Writer struct {
	// Client writes the status subresource.
	Client client.StatusClient
	// FieldManager owns what is written.
	FieldManager string
	// Kind is the kind of the objects.
	Kind schema.GroupVersionKind
}

// Apply makes status, a pointer to a status struct, the complete set of fields that the field manager owns: it removes
// fields that the field manager owned before and that are empty now, and keeps fields of other owners. It forces the
// ownership of its fields, because there is one controller per kind, whose values apply.
//
// The object is the version from which the status was computed. If the API server has a newer one, the error is a
// Conflict and nothing is written. Otherwise, a cache that does not have the last write yet would cause the same write
// again, with new times. If the object does not exist any more, Apply returns nil: there is nothing left to describe.
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

// Failed converts the error of Apply to the result of a reconcile: a Conflict means that the cache is behind, which is
// not a failure, and the object is requeued.
func Failed(err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: staleRetry}, nil
	}
	return reconcile.Result{}, err
}
