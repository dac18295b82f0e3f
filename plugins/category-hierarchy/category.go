// SPDX-License-Identifier: Apache-2.0

package main

import (
	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// category has the fields of a Category that the plugin reads and writes. It is never written back as it was read: to
// create a Category it contains metadata and spec, and to apply a status it contains the name and the fields of the
// status that the plugin owns.
type category struct {
	k1s.ObjectMeta
	spec   categorySpec
	status categoryStatus
}

type categorySpec struct {
	name   string
	parent string
}

type categoryStatus struct {
	depth      *int32
	path       string
	conditions []k1s.Condition
}

// TypeRef returns the kind.
func (*category) TypeRef() k1s.TypeReference {
	return k1s.TypeReference{APIVersion: "inventory.example.com/v1alpha1", Kind: "Category"}
}

// UnmarshalK1s decodes a Category.
func (c *category) UnmarshalK1s(d *json.Decoder) {
	*c = category{}
	for name := range d.Members() {
		switch name {
		case "metadata":
			c.ObjectMeta.UnmarshalK1s(d)
		case "spec":
			c.spec.UnmarshalK1s(d)
		case "status":
			c.status.UnmarshalK1s(d)
		}
	}
}

// MarshalK1s encodes a Category without empty fields.
func (c *category) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	c.TypeRef().WriteMembers(e)
	e.Key("metadata").Value(&c.ObjectMeta)
	if c.spec != (categorySpec{}) {
		e.Key("spec").Value(&c.spec)
	}
	if len(c.status.conditions) > 0 {
		e.Key("status").Value(&c.status)
	}
	e.EndObject()
}

// link is an ancestor of a category. Only its parent is needed, so all other fields are skipped.
type link struct{ category }

// UnmarshalK1s decodes the spec of a Category.
func (l *link) UnmarshalK1s(d *json.Decoder) {
	*l = link{}
	for name := range d.Members() {
		if name == "spec" {
			l.spec.UnmarshalK1s(d)
		}
	}
}

// UnmarshalK1s decodes the spec.
func (s *categorySpec) UnmarshalK1s(d *json.Decoder) {
	*s = categorySpec{}
	for name := range d.Members() {
		switch name {
		case "name":
			s.name = d.String()
		case "parent":
			s.parent = d.String()
		}
	}
}

// MarshalK1s encodes the spec.
func (s *categorySpec) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	e.Key("name").String(s.name)
	if s.parent != "" {
		e.Key("parent").String(s.parent)
	}
	e.EndObject()
}

// UnmarshalK1s decodes the status.
func (s *categoryStatus) UnmarshalK1s(d *json.Decoder) {
	*s = categoryStatus{}
	for name := range d.Members() {
		switch name {
		case "depth":
			if !d.Null() {
				depth := d.Int32()
				s.depth = &depth
			}
		case "path":
			s.path = d.String()
		case "conditions":
			s.conditions = k1s.ReadConditions(d)
		}
	}
}

// MarshalK1s encodes the status.
func (s *categoryStatus) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	k1s.WriteConditions(e.Key("conditions"), s.conditions)
	if s.depth != nil {
		e.Key("depth").Int(int64(*s.depth))
	}
	if s.path != "" {
		e.Key("path").String(s.path)
	}
	e.EndObject()
}
