// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"errors"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/internal/merge"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// maxEdits is the number of attempts of Edit before it returns the Conflict.
const maxEdits = 5

// Edit changes an existing object: it reads the object that obj names, calls f, and updates the object if f changed
// anything. Use it to write an object if the Go type has only some of the object's fields.
//
//	err := k1s.Edit(ctx, cat, func(cat *Category) error {
//		cat.Spec.Name = strings.TrimSpace(cat.Spec.Name)
//		return nil
//	})
//
// Fields that the type does not have stay as they are, by the rules of [Default]. The previous contents of obj, apart
// from its kind and key, are replaced by what is read, so make all changes in f. If the object changes in between, f is
// called again with the new object. After some attempts, or if the operator's cache is still behind, the error is a
// Conflict. A handler returns it to be called again. An error of f is returned, and nothing is written.
//
// On success, obj is set to the updated object. The status is not written if it is a subresource; see [ApplyStatus].
func Edit[P Resource](ctx context.Context, obj P, f func(obj P) error) error {
	return edit(ctx, obj, func() error { return f(obj) })
}

func edit(ctx context.Context, obj Resource, f func() error) error {
	ref, key := obj.TypeRef(), KeyOf(obj)
	var conflict error
	var last json.Raw
	for range maxEdits {
		raw, err := getRaw(ctx, ref, key)
		if err != nil {
			return err
		}
		version, _ := raw.Get("metadata", "resourceVersion")
		if conflict != nil && version == last { // the cache is still behind
			return conflict
		}
		last = version
		var invalid error
		edited, err := editRaw(obj, raw, func() error {
			invalid = f()
			return invalid
		})
		if invalid != nil {
			return invalid
		}
		if err == nil && (obj.TypeRef() != ref || KeyOf(obj) != key) {
			err = errors.New("kind, namespace and name cannot be changed")
		}
		// Without the version that was read, the API server would not detect that the object has changed.
		if now, _ := edited.Get("metadata", "resourceVersion"); err == nil && edited != "" && now != version {
			edited, err = edited.Set(version, "metadata", "resourceVersion")
		}
		if err != nil {
			return NewError(ReasonInternalError, "edit "+ref.Kind+" "+quote(key.String())+": "+err.Error())
		}
		if edited == "" {
			return nil
		}
		if conflict = sendUpdate(ctx, edited, obj); !IsConflict(conflict) {
			return conflict
		}
	}
	return conflict
}

// getRaw reads an object without decoding it.
func getRaw(ctx context.Context, ref TypeReference, key Key) (raw json.Raw, err error) {
	var e json.Encoder
	e.BeginObject()
	writeKey(&e, ref, key)
	e.EndObject()
	err = call(ctx, host.Get, &e, &raw)
	return raw, err
}

// editRaw decodes an object into obj, calls f to change it, and returns the object with the changes, or nothing if
// there are none.
func editRaw(obj Resource, raw json.Raw, f func() error) (json.Raw, error) {
	if err := raw.Decode(obj); err != nil {
		return "", err
	}
	before, err := json.Marshal(obj)
	if err != nil {
		return "", err
	}
	if err := f(); err != nil {
		return "", err
	}
	after, err := json.Marshal(obj)
	if err != nil || string(before) == string(after) {
		return "", err
	}
	return merge.Apply(raw, json.Raw(before), json.Raw(after))
}

func sendUpdate(ctx context.Context, object json.Raw, into Resource) error {
	var e json.Encoder
	e.BeginObject()
	e.Key("object").Raw(object)
	e.EndObject()
	return call(ctx, host.Update, &e, into)
}
