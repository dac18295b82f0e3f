// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// GetRaw returns the value of a field as JSON, and false if the field is absent.
func (o *Object) GetRaw(path ...string) (json.Raw, bool) { return o.raw.Get(path...) }

// GetString returns a field. It returns false if the field is absent, null, or not a string.
func (o *Object) GetString(path ...string) (string, bool) {
	return get(o, json.KindString, (*json.Decoder).String, path)
}

// GetInt returns a field. It returns false if the field is absent, null, or not an integer.
func (o *Object) GetInt(path ...string) (int64, bool) {
	return get(o, json.KindNumber, (*json.Decoder).Int, path)
}

// GetBool returns a field. The second value is false if the field is absent, null, or not a boolean.
func (o *Object) GetBool(path ...string) (value, ok bool) {
	return get(o, json.KindBool, (*json.Decoder).Bool, path)
}

// GetStrings returns a field. It returns false if the field is absent, null, or not an array of strings.
func (o *Object) GetStrings(path ...string) ([]string, bool) {
	return get(o, json.KindArray, (*json.Decoder).Strings, path)
}

// GetStringMap returns a field such as labels. It returns false if the field is absent, null, or not such a map.
func (o *Object) GetStringMap(path ...string) (map[string]string, bool) {
	return get(o, json.KindObject, (*json.Decoder).StringMap, path)
}

// Decode decodes a field into a value. An absent field is decoded as null.
func (o *Object) Decode(into json.Unmarshaler, path ...string) error {
	raw, ok := o.GetRaw(path...)
	if !ok {
		raw = "null"
	}
	return raw.Decode(into)
}

// SetRaw sets a field to a JSON value, which must be valid. It creates missing objects in the path. A decimal index in
// the path selects an element of an array. It returns an error if the path leads through another kind of value.
func (o *Object) SetRaw(value json.Raw, path ...string) error {
	raw, err := o.raw.Set(value, path...)
	if err != nil {
		return err
	}
	o.raw = raw
	return nil
}

// Set sets a field to a value that encodes itself.
func (o *Object) Set(value json.Marshaler, path ...string) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return o.SetRaw(json.Raw(text), path...)
}

// SetString sets a field.
func (o *Object) SetString(value string, path ...string) error {
	return o.set(func(e *json.Encoder) { e.String(value) }, path)
}

// SetInt sets a field.
func (o *Object) SetInt(value int64, path ...string) error {
	return o.set(func(e *json.Encoder) { e.Int(value) }, path)
}

// SetBool sets a field.
func (o *Object) SetBool(value bool, path ...string) error {
	return o.set(func(e *json.Encoder) { e.Bool(value) }, path)
}

// SetStrings sets a field to an array of strings.
func (o *Object) SetStrings(value []string, path ...string) error {
	return o.set(func(e *json.Encoder) { e.Strings(value) }, path)
}

// SetStringMap sets a field to a map such as labels.
func (o *Object) SetStringMap(value map[string]string, path ...string) error {
	return o.set(func(e *json.Encoder) { e.StringMap(value) }, path)
}

// Remove removes a field. It does nothing if the field is absent.
func (o *Object) Remove(path ...string) error {
	raw, err := o.raw.Remove(path...)
	if err != nil {
		return err
	}
	o.raw = raw
	return nil
}

func (o *Object) set(write func(e *json.Encoder), path []string) error {
	var e json.Encoder
	write(&e)
	return o.SetRaw(json.Raw(e.Bytes()), path...)
}

// get decodes the value at path if it is of the given kind.
func get[T any](o *Object, kind json.Kind, read func(*json.Decoder) T, path []string) (T, bool) {
	var zero T
	raw, ok := o.GetRaw(path...)
	if !ok {
		return zero, false
	}
	d := json.NewDecoder(string(raw))
	if d.Kind() != kind {
		return zero, false
	}
	value := read(d)
	if d.End() != nil {
		return zero, false
	}
	return value, true
}
