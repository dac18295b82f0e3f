// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// PatchType is how a patch is written.
type PatchType string

// The types of patches.
const (
	MergePatch     PatchType = "merge"     // RFC 7386
	JSONPatch      PatchType = "json"      // RFC 6902
	StrategicPatch PatchType = "strategic" // built-in kinds only
)

// Patch changes a part of an object; obj names the object and becomes what it is now.
//
//	k1s.Patch(ctx, cat, k1s.MergePatch, json.Raw(`{"metadata":{"labels":{"seen":"true"}}}`))
func Patch(ctx context.Context, obj Resource, patchType PatchType, patch json.Marshaler) error {
	return sendPatch(ctx, host.Patch, obj, patchType, patch, false)
}

// ApplyOptions say what an apply may do.
type ApplyOptions struct {
	// Force takes over fields that belong to other field managers, instead of answering a Conflict.
	Force bool
}

// Apply creates or changes an object by server-side apply; obj becomes what it is now.
//
// What obj writes is the whole will of the plugin for this object: a field that it wrote in an earlier
// Apply and no longer writes is removed, and a field that it never wrote is left alone. So obj is made
// anew from what is wanted, and is not one that was read.
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

// ApplyStatus is Apply for the status of an object that exists: obj writes its kind, its name, and those
// fields of the status that are the plugin's. A status has several owners, so there is no other way to write
// it. It needs CapabilityStatusUpdate.
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
