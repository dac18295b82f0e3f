// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Get reads an object. Objects of the kinds that the plugin reconciles come from the operator's cache,
// which can be behind the API server by moments. The kind is that of into: an Object must have been made
// with NewObject.
func Get(ctx context.Context, key Key, into Resource) error {
	var e json.Encoder
	e.BeginObject()
	writeKey(&e, into.TypeRef(), key)
	e.EndObject()
	return call(ctx, host.Get, &e, into)
}

// Create creates an object; obj becomes what was created.
func Create(ctx context.Context, obj Resource) error { return write(ctx, host.Create, obj) }

// Update replaces the whole object but for its status, and removes every field that the type of obj does not
// have: use [Edit] unless the type has all fields of its kind, in every version, or obj is an [Object]. Obj
// becomes what the object is now. The answer is a Conflict when the object has changed since obj was read.
func Update(ctx context.Context, obj Resource) error { return write(ctx, host.Update, obj) }

// UpdateStatus applies the status, and nothing else, of an object that was read and changed, without force; obj
// becomes what the object is now. The answer is a Conflict when the object has changed since obj was read, or
// when the status has another value for a field that somebody else wrote. The plugin comes to own all that obj
// writes of the status; ApplyStatus takes only what is the plugin's. It needs CapabilityStatusUpdate.
//
// Fields of the status that the type of obj does not have stay if others own them. A list without a key in
// the schema of the kind is one field, though: obj has to write all fields of its elements.
func UpdateStatus(ctx context.Context, obj Resource) error {
	return write(ctx, host.UpdateStatus, obj)
}

// DeleteOptions say how an object is deleted.
type DeleteOptions struct {
	// PropagationPolicy is Background, Foreground or Orphan; empty leaves it to the API server.
	PropagationPolicy string
	// UID and ResourceVersion, when set, must be the object's, or the answer is a Conflict.
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

// write sends an object and reads what became of it.
func write(ctx context.Context, f host.Func, obj Resource) error {
	var e json.Encoder
	e.BeginObject()
	e.Key("object").Value(obj)
	e.EndObject()
	return call(ctx, f, &e, obj)
}

// writeKey writes the members that name an object.
func writeKey(e *json.Encoder, ref TypeReference, key Key) {
	ref.WriteMembers(e)
	optional(e, "namespace", key.Namespace)
	e.Key("name").String(key.Name)
}

// call sends a request and reads the reply into a value, or ignores it if that is nil.
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

// errorOf returns the error that a reply is.
func errorOf(reply host.Reply) *Error {
	e := new(Error)
	if err := json.Unmarshal(reply.Text, e); err != nil {
		return NewError(ReasonInternalError, "the operator answered an error that cannot be read: "+err.Error())
	}
	return e
}
