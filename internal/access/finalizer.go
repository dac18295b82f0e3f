// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/kinds"
)

// finalizerTries is how often a change is tried if others change the object's finalizers at the same time.
const finalizerTries = 5

// Finalizer adds and removes the finalizer of one plugin. The host does that, not the guest. So RBAC authorizes it, but
// spec.security, which restricts the requests of the guest, does not apply.
type Finalizer struct {
	// Name is the entry in an object's metadata.finalizers.
	Name string

	// recorder makes the Records of the plugin; it has no client.
	recorder             *RestrictedClient
	asPlugin, asOperator metadata.Interface
	fieldOwner           string
}

// Finalizer returns the Finalizer of a plugin.
func (f *Factory) Finalizer(id rbac.Identity) (*Finalizer, error) {
	c := metadata.ConfigFor(f.config)
	c.Timeout = requestTimeout
	c.WarningHandler = rest.NoWarnings{}
	asOperator, err := metadata.NewForConfig(c)
	if err != nil {
		return nil, fmt.Errorf("make a client for finalizers: %w", err)
	}
	c = rest.CopyConfig(c)
	f.actAs(c, id)
	c.QPS = -1
	asPlugin, err := metadata.NewForConfig(c)
	if err != nil {
		return nil, fmt.Errorf("make a client for the finalizers of %s: %w", id.Username(), err)
	}
	return &Finalizer{
		Name:       pluginsv1alpha1.FinalizerOf(id.Namespace, id.Plugin),
		recorder:   &RestrictedClient{Options: Options{Identity: id}, factory: f, bounds: newBounds(f.clock)},
		asPlugin:   asPlugin,
		asOperator: asOperator,
		fieldOwner: id.FieldManager(),
	}, nil
}

// On reports whether an object has the finalizer.
func (f *Finalizer) On(o metav1.Object) bool { return slices.Contains(o.GetFinalizers(), f.Name) }

// Put adds the finalizer to an object, as the plugin. It does nothing if the object is gone, or is already being
// deleted.
func (f *Finalizer) Put(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error {
	return f.change(ctx, f.asPlugin, resource, o, func(o metav1.Object) []string {
		if o.GetDeletionTimestamp() != nil || f.On(o) {
			return o.GetFinalizers()
		}
		return append(slices.Clone(o.GetFinalizers()), f.Name)
	})
}

// Remove removes the finalizer from an object that the plugin has finalized. It does so as the plugin, or as the
// operator if the plugin lacks the permission, so that the finalizer does not block the deletion.
func (f *Finalizer) Remove(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error {
	err := f.change(ctx, f.asPlugin, resource, o, f.without)
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return f.Release(ctx, resource, o)
	}
	return err
}

// Release removes the finalizer, as the operator, from an object that the plugin no longer finalizes.
func (f *Finalizer) Release(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error {
	return f.change(ctx, f.asOperator, resource, o, f.without)
}

func (f *Finalizer) without(o metav1.Object) []string {
	return slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(name string) bool { return name == f.Name })
}

// change sets an object's finalizers to what edit returns. The patch applies only to the list that edit has received,
// so that the finalizers of others are never changed. If the list has changed meanwhile, edit is called again with the
// current list.
func (f *Finalizer) change(ctx context.Context, client metadata.Interface, resource schema.GroupVersionResource, o metav1.Object, edit func(metav1.Object) []string) error {
	for try := 1; ; try++ {
		wanted := edit(o)
		if slices.Equal(wanted, o.GetFinalizers()) {
			return nil
		}
		err := f.patch(ctx, client, resource, o, wanted)
		switch {
		case err == nil, apierrors.IsNotFound(err) && !kinds.IsPathNotFound(err):
			return nil
		case !apierrors.IsInvalid(err) && !apierrors.IsConflict(err):
			return err
		}
		// A failed test of a JSON patch is Invalid, and so is an object that the API server rejects.
		current, readErr := f.current(ctx, resource, o)
		switch {
		case readErr != nil:
			return readErr
		case current == nil:
			return nil
		case slices.Equal(current.GetFinalizers(), o.GetFinalizers()) && (current.GetDeletionTimestamp() == nil) == (o.GetDeletionTimestamp() == nil):
			return err // the API server rejects the object itself
		case try == finalizerTries:
			return err
		}
		o = current
	}
}

// patch replaces the list of finalizers with another one.
func (f *Finalizer) patch(ctx context.Context, client metadata.Interface, resource schema.GroupVersionResource, o metav1.Object, wanted []string) (err error) {
	seen := f.recorder.observe(rbac.Action{
		Verb: "patch", Group: resource.Group, Resource: resource.Resource, Namespace: o.GetNamespace(), ObjectName: o.GetName(),
	})
	if client == f.asPlugin { // what the operator does as itself is in the API server's audit log
		defer func() { seen.changed(err) }()
	}
	body, err := finalizersPatch(o.GetUID(), o.GetFinalizers(), wanted)
	if err != nil {
		return err
	}
	_, err = client.Resource(resource).Namespace(o.GetNamespace()).Patch(ctx, o.GetName(), types.JSONPatchType, body,
		metav1.PatchOptions{FieldManager: f.fieldOwner})
	return err
}

// finalizersPatch returns a JSON patch (RFC 6902) from one list of finalizers to another. An absent list is tested as
// null.
func finalizersPatch(uid types.UID, from, to []string) ([]byte, error) {
	const path = "/metadata/finalizers"
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	test := operation{Op: "test", Path: path}
	if len(from) > 0 {
		test.Value = from
	}
	set := operation{Op: "add", Path: path, Value: to}
	if len(to) == 0 {
		set = operation{Op: "remove", Path: path}
	}
	return json.Marshal([]operation{{Op: "test", Path: "/metadata/uid", Value: uid}, test, set})
}

// current returns an object's metadata from the API server, or nil if the object is gone. It uses list, because the
// operator has permission to list what it watches, but not necessarily to get it.
func (f *Finalizer) current(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) (metav1.Object, error) {
	list, err := f.asOperator.Resource(resource).Namespace(o.GetNamespace()).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, o.GetName()).String(),
	})
	if err != nil {
		return nil, fmt.Errorf("look %q up: %w", o.GetName(), err)
	}
	for i := range list.Items {
		if list.Items[i].UID == o.GetUID() {
			return &list.Items[i], nil
		}
	}
	return nil, nil //nolint:nilnil // it was deleted
}
