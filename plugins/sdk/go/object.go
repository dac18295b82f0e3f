// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Object is an object of any kind, stored as JSON. Fields are read and written by their path:
//
//	replicas, ok := obj.GetInt("spec", "replicas")
//	err := obj.SetString("true", "metadata", "annotations", "example.com/seen")
//
// Each access parses the text. A plugin that reads many fields of many objects is faster with a Go type.
type Object struct {
	raw json.Raw
}

// NewObject returns an object with only its kind and its key. Fill it, read into it with Get, or delete it.
func NewObject(apiVersion, kind string, key Key) *Object {
	var e json.Encoder
	e.BeginObject()
	TypeReference{APIVersion: apiVersion, Kind: kind}.WriteMembers(&e)
	e.Key("metadata").Value(&ObjectMeta{Namespace: key.Namespace, Name: key.Name})
	e.EndObject()
	return &Object{raw: json.Raw(e.Bytes())}
}

// ParseObject returns the object in a JSON text.
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
	_ = o.Decode(&meta, "metadata") // it stays empty if it cannot be decoded
	return meta
}

// Conditions returns a copy of status.conditions.
func (o *Object) Conditions() []Condition {
	raw, _ := o.GetRaw("status", "conditions")
	return ReadConditions(json.NewDecoder(string(raw)))
}

// SetConditions replaces status.conditions. A condition of an existing type keeps the fields that Condition does not
// have, such as lastUpdateTime.
func (o *Object) SetConditions(conditions []Condition) error {
	raw, _ := o.GetRaw("status", "conditions")
	text, err := mergeConditions(raw, conditions)
	if err != nil {
		return err
	}
	return o.SetRaw(text, "status", "conditions")
}

// UnmarshalK1s stores the object.
func (o *Object) UnmarshalK1s(d *json.Decoder) {
	if d.Kind() != json.KindObject {
		d.Skip()
		d.Fail("want an object")
		return
	}
	o.raw = d.Raw()
}

// MarshalK1s encodes the object.
func (o *Object) MarshalK1s(e *json.Encoder) {
	if o.raw == "" {
		e.BeginObject()
		e.EndObject()
		return
	}
	e.Raw(o.raw)
}
