// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// object is a JSON object. Numbers are json.Number, so that they keep all digits.
type object = map[string]any

// objectKey is the kind and key of an object in the store.
type objectKey struct {
	ref k1s.TypeReference
	key k1s.Key
}

func keyOf(ref k1s.TypeReference, key k1s.Key) objectKey { return objectKey{ref, key} }

func (k objectKey) String() string { return fmt.Sprintf("%s %q", k.ref.Kind, k.key) }

// identify returns the kind and key in an object.
func identify(o object) objectKey {
	meta := child(o, "metadata")
	return objectKey{
		ref: k1s.TypeReference{APIVersion: text(o, "apiVersion"), Kind: text(o, "kind")},
		key: k1s.Key{Namespace: text(meta, "namespace"), Name: text(meta, "name")},
	}
}

// decode decodes a request into a struct and rejects unknown members, as the operator does.
func decode(request []byte, into any) *k1s.Error {
	d := stdjson.NewDecoder(bytes.NewReader(request))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return k1s.NewError(k1s.ReasonBadRequest, err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return k1s.NewError(k1s.ReasonBadRequest, "more than one JSON value")
	}
	return nil
}

// decodeObject decodes an object. It must have a kind.
func decodeObject(data []byte) (object, *k1s.Error) {
	var o object
	if err := decode(data, &o); err != nil {
		return nil, err
	}
	if text(o, "apiVersion") == "" || text(o, "kind") == "" {
		return nil, k1s.NewError(k1s.ReasonBadRequest, "object has no apiVersion or no kind")
	}
	return o, nil
}

func encode(v any) []byte {
	data, err := stdjson.Marshal(v)
	if err != nil {
		panic(err) // it was decoded from JSON
	}
	return data
}

// text returns a member that is a string, or "".
func text(o object, name string) string {
	s, _ := o[name].(string)
	return s
}

// child returns a member that is an object, or an empty object that is not part of o.
func child(o object, name string) object {
	if c, ok := o[name].(object); ok {
		return c
	}
	return object{}
}

// metadataOf returns an object's metadata, and creates it if it is missing.
func metadataOf(o object) object {
	meta, ok := o["metadata"].(object)
	if !ok {
		meta = object{}
		o["metadata"] = meta
	}
	return meta
}

// setOrDelete sets a member, or removes it if the value is nil.
func setOrDelete(o object, name string, value any) {
	if value == nil {
		delete(o, name)
		return
	}
	o[name] = value
}

// copyOf returns a deep copy of v.
func copyOf[T any](v T) T {
	copied, _ := deepCopy(v).(T)
	return copied
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case object:
		c := make(object, len(v))
		for name, member := range v {
			c[name] = deepCopy(member)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, element := range v {
			c[i] = deepCopy(element)
		}
		return c
	default:
		return v
	}
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }
