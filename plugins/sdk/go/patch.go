// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// PatchType is the format of a patch.
type PatchType string

// The patch types.
const (
	MergePatch     PatchType = "merge"     // RFC 7386
	JSONPatch      PatchType = "json"      // RFC 6902
	StrategicPatch PatchType = "strategic" // built-in kinds only
)

// Patch patches an object. obj names the object, and is set to the patched object.
//
//	k1s.Patch(ctx, cat, k1s.MergePatch, json.Raw(`{"metadata":{"labels":{"seen":"true"}}}`))
func Patch(ctx context.Context, obj Resource, patchType PatchType, patch json.Marshaler) error {
	return sendPatch(ctx, host.Patch, obj, patchType, patch, false)
}

// ApplyOptions are the options of Apply and ApplyStatus.
type ApplyOptions struct {
	// Force acquires the ownership of fields that belong to other field managers, instead of returning a Conflict.
	Force bool
}

// Apply creates or changes an object by server-side apply. It sets obj to the resulting object.
//
// The fields of obj are the complete intent of the plugin: a field that an earlier Apply wrote and this one does not is
// removed, and a field that the plugin never applied is left alone. Therefore create obj from the desired state, and do
// not use an object that was read.
func Apply(ctx context.Context, obj Resource, opts ApplyOptions) error {
	var e json.Encoder
	e.BeginObject()
	e.Key("object").Value(obj)
	if opts.Force {
		e.Key("force").Bool(true)
	}
	e.EndObject()
	return call(ctx, host.Apply, &e, obj)
}

// ApplyStatus is Apply for the status of an existing object: obj contains its kind, its name, and those fields of the
// status that the plugin owns. A status can have several owners, so the other fields stay. It needs
// CapabilityStatusUpdate.
func ApplyStatus(ctx context.Context, obj Resource, opts ApplyOptions) error {
	return sendPatch(ctx, host.PatchStatus, obj, "apply", obj, opts.Force)
}

func sendPatch(
	ctx context.Context, f host.Func, obj Resource, patchType PatchType, patch json.Marshaler, force bool,
) error {
	var e json.Encoder
	e.BeginObject()
	writeKey(&e, obj.TypeRef(), KeyOf(obj))
	e.Key("patchType").String(string(patchType))
	e.Key("patch").Value(patch)
	if force {
		e.Key("force").Bool(true)
	}
	e.EndObject()
	return call(ctx, f, &e, obj)
}
