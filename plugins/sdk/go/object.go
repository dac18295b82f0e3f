// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Object is an object of any kind, kept as JSON. Fields are read and written by the names that lead to
// them:
//
//	replicas, ok := obj.GetInt("spec", "replicas")
//	err := obj.SetString("true", "metadata", "annotations", "example.com/seen")
//
// Each access goes through the text; a plugin that reads many fields of many objects is faster with a
// type of its own.
type Object struct {
	raw json.Raw
}

// NewObject returns an object with nothing but its kind and its key, to be filled, read into with Get,
// or deleted.
func NewObject(apiVersion, kind string, key Key) *Object {
	var e json.Encoder
	e.BeginObject()
	TypeReference{APIVersion: apiVersion, Kind: kind}.WriteMembers(&e)
	e.Key("metadata").Value(&ObjectMeta{Namespace: key.Namespace, Name: key.Name})
	e.EndObject()
	return &Object{raw: json.Raw(e.Bytes())}
}

// ParseObject returns the object that a JSON text is.
func ParseObject(text string) (*Object, error) {
	o := new(Object)
	if err := json.Unmarshal(text, o); err != nil {
		return nil, err
	}
	return o, nil
}

// Raw returns the whole object as JSON.
func (o *Object) Raw() json.Raw { return o.raw }

// TypeRef returns the object's kind.
func (o *Object) TypeRef() TypeReference {
	apiVersion, _ := o.GetString("apiVersion")
	kind, _ := o.GetString("kind")
	return TypeReference{APIVersion: apiVersion, Kind: kind}
}

// GetName returns metadata.name.
func (o *Object) GetName() string { return o.metadata("name") }

// GetNamespace returns metadata.namespace.
func (o *Object) GetNamespace() string { return o.metadata("namespace") }

// GetUID returns metadata.uid.
func (o *Object) GetUID() string { return o.metadata("uid") }

func (o *Object) metadata(name string) string {
	value, _ := o.GetString("metadata", name)
	return value
}

// Meta returns a copy of the metadata.
func (o *Object) Meta() ObjectMeta {
	var meta ObjectMeta
	_ = o.Decode(&meta, "metadata") // where it cannot be read it stays empty
	return meta
}

// Conditions returns a copy of status.conditions.
func (o *Object) Conditions() []Condition {
	raw, _ := o.GetRaw("status", "conditions")
	return ReadConditions(json.NewDecoder(string(raw)))
}

// SetConditions replaces status.conditions. A condition of a type that is there keeps the fields that
// Condition does not have, such as lastUpdateTime.
func (o *Object) SetConditions(conditions []Condition) error {
	raw, _ := o.GetRaw("status", "conditions")
	text, err := mergeConditions(raw, conditions)
	if err != nil {
		return err
	}
	return o.SetRaw(text, "status", "conditions")
}

// UnmarshalK1s keeps the object that comes next.
func (o *Object) UnmarshalK1s(d *json.Decoder) {
	if d.Kind() != json.KindObject {
		d.Skip()
		d.Fail("want an object")
		return
	}
	o.raw = d.Raw()
}

// MarshalK1s writes the object.
func (o *Object) MarshalK1s(e *json.Encoder) {
	if o.raw == "" {
		e.BeginObject()
		e.EndObject()
		return
	}
	e.Raw(o.raw)
}
