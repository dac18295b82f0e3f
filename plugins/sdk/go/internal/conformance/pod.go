// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Pod is a typed view of the objects in test/conformance/testdata/merge.json. It has only some of their fields. It
// omits empty fields, except in the elements of lists and maps.
type Pod struct {
	k1s.ObjectMeta
	Spec PodSpec
}

// PodSpec has lists of all kinds.
type PodSpec struct {
	Containers  []Container
	Tolerations []Toleration
	Marks       []Mark
	Args        []string
	Grid        [][]Mark
	Security    Security
	Backends    map[string]Port
	Priority    int64
}

// Container has a name and a nested list.
type Container struct {
	Name, Image string
	Ports       []Port
}

// Port is a list element without an identity.
type Port struct{ ContainerPort int64 }

// Toleration has a key, which need not be unique.
type Toleration struct{ Key, Value string }

// Mark is a list element without an identity.
type Mark struct{ Level int64 }

// Security is omitted if it is empty.
type Security struct{ NonRoot bool }

// TypeRef returns the kind.
func (*Pod) TypeRef() k1s.TypeReference {
	return k1s.TypeReference{APIVersion: "conformance.k1s.io/v1", Kind: "Pod"}
}

// UnmarshalK1s decodes the object.
func (p *Pod) UnmarshalK1s(d *json.Decoder) {
	*p = Pod{}
	for name := range d.Members() {
		switch name {
		case "metadata":
			p.ObjectMeta.UnmarshalK1s(d)
		case "spec":
			p.Spec.unmarshal(d)
		}
	}
}

func (s *PodSpec) unmarshal(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "containers":
			s.Containers = list[Container](d)
		case "tolerations":
			s.Tolerations = list[Toleration](d)
		case "marks":
			s.Marks = list[Mark](d)
		case "args":
			s.Args = d.Strings()
		case "grid":
			for range d.Elements() {
				s.Grid = append(s.Grid, list[Mark](d))
			}
		case "security":
			for name := range d.Members() {
				if name == "nonRoot" {
					s.Security.NonRoot = d.Bool()
				}
			}
		case "backends":
			s.Backends = map[string]Port{}
			for name := range d.Members() {
				var p Port
				p.UnmarshalK1s(d)
				s.Backends[name] = p
			}
		case "priority":
			s.Priority = d.Int()
		}
	}
}

// UnmarshalK1s decodes the element. It does not reset absent fields.
func (c *Container) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "name":
			c.Name = d.String()
		case "image":
			c.Image = d.String()
		case "ports":
			c.Ports = list[Port](d)
		}
	}
}

// UnmarshalK1s decodes the element.
func (p *Port) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		if name == "containerPort" {
			p.ContainerPort = d.Int()
		}
	}
}

// UnmarshalK1s decodes the element.
func (t *Toleration) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "key":
			t.Key = d.String()
		case "value":
			t.Value = d.String()
		}
	}
}

// UnmarshalK1s decodes the element.
func (m *Mark) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		if name == "level" {
			m.Level = d.Int()
		}
	}
}

// list decodes an array.
func list[T any, P interface {
	*T
	json.Unmarshaler
}](d *json.Decoder) (all []T) {
	for range d.Elements() {
		var element T
		P(&element).UnmarshalK1s(d)
		all = append(all, element)
	}
	return all
}

// MarshalK1s encodes the object.
func (p *Pod) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	p.TypeRef().WriteMembers(e)
	e.Key("metadata").Value(&p.ObjectMeta)
	e.Key("spec").BeginObject()
	s := &p.Spec
	writeList(e, "containers", s.Containers)
	writeList(e, "tolerations", s.Tolerations)
	writeList(e, "marks", s.Marks)
	if len(s.Args) > 0 {
		e.Key("args").Strings(s.Args)
	}
	if len(s.Grid) > 0 {
		e.Key("grid").BeginArray()
		for _, row := range s.Grid {
			writeElements(e, row)
		}
		e.EndArray()
	}
	if s.Security.NonRoot {
		e.Key("security").BeginObject()
		e.Key("nonRoot").Bool(true)
		e.EndObject()
	}
	if len(s.Backends) > 0 {
		names := make([]string, 0, len(s.Backends))
		for name := range s.Backends {
			names = append(names, name)
		}
		slices.Sort(names)
		e.Key("backends").BeginObject()
		for _, name := range names {
			e.Key(name).Value(s.Backends[name])
		}
		e.EndObject()
	}
	writeInt(e, "priority", s.Priority)
	e.EndObject()
	e.EndObject()
}

// MarshalK1s encodes the element.
func (c Container) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	writeString(e, "name", c.Name)
	writeString(e, "image", c.Image)
	writeList(e, "ports", c.Ports)
	e.EndObject()
}

// MarshalK1s encodes the element.
func (p Port) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	writeInt(e, "containerPort", p.ContainerPort)
	e.EndObject()
}

// MarshalK1s encodes the element.
func (t Toleration) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	writeString(e, "key", t.Key)
	writeString(e, "value", t.Value)
	e.EndObject()
}

// MarshalK1s encodes the element.
func (m Mark) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	writeInt(e, "level", m.Level)
	e.EndObject()
}

func writeList[T json.Marshaler](e *json.Encoder, name string, all []T) {
	if len(all) > 0 {
		e.Key(name)
		writeElements(e, all)
	}
}

func writeElements[T json.Marshaler](e *json.Encoder, all []T) {
	e.BeginArray()
	for _, element := range all {
		e.Value(element)
	}
	e.EndArray()
}

func writeString(e *json.Encoder, name, value string) {
	if value != "" {
		e.Key(name).String(value)
	}
}

func writeInt(e *json.Encoder, name string, value int64) {
	if value != 0 {
		e.Key(name).Int(value)
	}
}
