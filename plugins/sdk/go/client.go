// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Get reads an object. Objects of the kinds that the plugin reconciles come from the operator's cache, which can be
// slightly behind the API server. The kind is that of into: create an Object with NewObject.
func Get(ctx context.Context, key Key, into Resource) error {
	var e json.Encoder
	e.BeginObject()
	writeKey(&e, into.TypeRef(), key)
	e.EndObject()
	return call(ctx, host.Get, &e, into)
}

// Create creates an object. It sets obj to the created object.
func Create(ctx context.Context, obj Resource) error { return write(ctx, host.Create, obj) }

// Update replaces the whole object except its status. It removes every field that the type of obj does not have: use
// [Edit] unless the type has all fields of its kind, in every version, or obj is an [Object]. It sets obj to the
// updated object. It returns a Conflict if the object has changed since obj was read.
func Update(ctx context.Context, obj Resource) error { return write(ctx, host.Update, obj) }

// UpdateStatus applies the status of an object that was read and changed, and nothing else, without force. It sets obj
// to the updated object. It returns a Conflict if the object has changed since obj was read, or if the status has
// another value for a field that another field manager owns. The plugin becomes the owner of all fields of the status
// that obj writes, whereas ApplyStatus owns only the plugin's fields. It needs CapabilityStatusUpdate.
//
// Fields of the status that the type of obj does not have stay if others own them. A list without a key in the schema
// of the kind is one field, however: obj has to write all fields of its elements.
func UpdateStatus(ctx context.Context, obj Resource) error {
	return write(ctx, host.UpdateStatus, obj)
}

// DeleteOptions are the options of Delete.
type DeleteOptions struct {
	// PropagationPolicy is Background, Foreground or Orphan. If it is empty, the API server chooses.
	PropagationPolicy string
	// UID and ResourceVersion, if set, must equal those of the object. Otherwise Delete returns a Conflict.
	UID, ResourceVersion string
}

// Delete deletes an object.
func Delete(ctx context.Context, obj Identity, opts DeleteOptions) error {
	var e json.Encoder
	e.BeginObject()
	writeKey(&e, obj.TypeRef(), KeyOf(obj))
	optional(&e, "propagationPolicy", opts.PropagationPolicy)
	optional(&e, "uid", opts.UID)
	optional(&e, "resourceVersion", opts.ResourceVersion)
	e.EndObject()
	return call(ctx, host.Delete, &e, nil)
}

// write sends an object and decodes the result into it.
func write(ctx context.Context, f host.Func, obj Resource) error {
	var e json.Encoder
	e.BeginObject()
	e.Key("object").Value(obj)
	e.EndObject()
	return call(ctx, f, &e, obj)
}

// writeKey writes the members that identify an object.
func writeKey(e *json.Encoder, ref TypeReference, key Key) {
	ref.WriteMembers(e)
	optional(e, "namespace", key.Namespace)
	e.Key("name").String(key.Name)
}

// call sends a request and decodes the reply into a value. If that is nil, it ignores the reply.
func call(ctx context.Context, f host.Func, request *json.Encoder, into json.Unmarshaler) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := request.Err(); err != nil {
		return NewError(ReasonBadRequest, f.Name()+": encode the request: "+err.Error())
	}
	reply := host.Call(f, request.Bytes())
	if reply.IsError {
		return errorOf(reply)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(reply.Text, into); err != nil {
		return NewError(ReasonInternalError, f.Name()+": decode the reply: "+err.Error())
	}
	return nil
}

// errorOf decodes the error in a reply.
func errorOf(reply host.Reply) *Error {
	e := new(Error)
	if err := json.Unmarshal(reply.Text, e); err != nil {
		return NewError(ReasonInternalError, "the operator answered an error that cannot be read: "+err.Error())
	}
	return e
}
