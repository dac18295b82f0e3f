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
	"github.com/k1s-io/k1s/internal/kinds"
)

// finalizerTries is how often a change is made anew because others have changed an object's finalizers meanwhile.
const finalizerTries = 5

// Finalizer is a plugin's finalizer, as it is put on objects and taken off them. That is the host's doing, not
// the guest's: RBAC decides about it, and spec.security, which bounds what the guest may ask for, does not.
type Finalizer struct {
	// Name is what is in an object's metadata.finalizers.
	Name string

	// recorder is the plugin as Records have it; it has no client.
	recorder             *RestrictedClient
	asPlugin, asOperator metadata.Interface
	fieldOwner           string
}

// Finalizer makes the finalizer of a plugin.
func (f *Factory) Finalizer(id Identity) (*Finalizer, error) {
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

// On reports whether an object carries the finalizer.
func (f *Finalizer) On(o metav1.Object) bool { return slices.Contains(o.GetFinalizers(), f.Name) }

// Put puts the finalizer on an object, as the plugin. Nothing is done to an object that is gone, or is being
// deleted by now.
func (f *Finalizer) Put(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error {
	return f.change(ctx, f.asPlugin, resource, o, func(o metav1.Object) []string {
		if o.GetDeletionTimestamp() != nil || f.On(o) {
			return o.GetFinalizers()
		}
		return append(slices.Clone(o.GetFinalizers()), f.Name)
	})
}

// Remove takes the finalizer off an object that the plugin is done with, as the plugin; where that may not do
// so any more, as the operator, so that the object is not kept.
func (f *Finalizer) Remove(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error {
	err := f.change(ctx, f.asPlugin, resource, o, f.without)
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return f.Release(ctx, resource, o)
	}
	return err
}

// Release takes the finalizer off an object that is none of the plugin's business any more, as the operator.
func (f *Finalizer) Release(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error {
	return f.change(ctx, f.asOperator, resource, o, f.without)
}

func (f *Finalizer) without(o metav1.Object) []string {
	return slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(name string) bool { return name == f.Name })
}

// change makes an object's finalizers what edit wants of them. The patch holds only for the very list that
// edit has seen, so that those of others are never touched; another list is edited anew.
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
		// A test of a JSON patch that fails is Invalid, and so is an object that the API server refuses.
		current, readErr := f.current(ctx, resource, o)
		switch {
		case readErr != nil:
			return readErr
		case current == nil:
			return nil
		case slices.Equal(current.GetFinalizers(), o.GetFinalizers()) && (current.GetDeletionTimestamp() == nil) == (o.GetDeletionTimestamp() == nil):
			return err // it is the object that is refused
		case try == finalizerTries:
			return err
		}
		o = current
	}
}

// patch replaces a list of finalizers by another.
func (f *Finalizer) patch(ctx context.Context, client metadata.Interface, resource schema.GroupVersionResource, o metav1.Object, wanted []string) (err error) {
	seen := f.recorder.observe(Action{
		Verb: "patch", Group: resource.Group, Resource: resource.Resource, Namespace: o.GetNamespace(), ObjectName: o.GetName(),
	})
	if client == f.asPlugin { // the operator's own doing is in the API server's audit log
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

// finalizersPatch is a JSON patch (RFC 6902) from one list of finalizers to another. No list is null.
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

// current reads an object's metadata from the API server; nil if it is gone. The operator may list what it
// watches, and need not be allowed to get it.
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
	return nil, nil
}
