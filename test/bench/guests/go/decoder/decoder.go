// SPDX-License-Identifier: Apache-2.0

// Package decoder reads the objects of the Go guests with the SDK's decoder. It does not depend on the binding to a
// host.
package decoder

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/test/bench/object"
)

// Object is an Item or a Category.
type Object struct{ object.Object }

// GetName returns the name.
func (o *Object) GetName() string { return o.Metadata.Name }

// GetNamespace returns the namespace.
func (o *Object) GetNamespace() string { return o.Metadata.Namespace }

// GetUID returns nothing, because the guests do not read it.
func (*Object) GetUID() string { return "" }

// UnmarshalK1s decodes an object.
func (o *Object) UnmarshalK1s(d *json.Decoder) {
	*o = Object{}
	for name := range d.Members() {
		switch name {
		case "metadata":
			readMetadata(d, &o.Metadata)
		case "spec":
			readSpec(d, &o.Spec)
		case "status":
			readStatus(d, &o.Status)
		}
	}
}

func readMetadata(d *json.Decoder, m *object.Metadata) {
	for name := range d.Members() {
		switch name {
		case "name":
			m.Name = d.String()
		case "namespace":
			m.Namespace = d.String()
		case "labels":
			for name := range d.Members() {
				m.LabelSum += object.Label(name, d.String())
			}
		}
	}
}

func readSpec(d *json.Decoder, s *object.Spec) {
	for name := range d.Members() {
		switch name {
		case "name":
			s.Name = d.String()
		case "category":
			s.Category = d.String()
		case "quantity":
			s.Quantity = d.Int()
		case "price":
			s.Price = d.Int()
		case "tags":
			s.Tags = d.Strings()
		}
	}
}

func readStatus(d *json.Decoder, s *object.Status) {
	for name := range d.Members() {
		switch name {
		case "path":
			s.Path = d.String()
		case "depth":
			s.Depth = d.Int()
		case "itemCount":
			s.ItemCount = d.Int()
		case "conditions":
			for range d.Elements() {
				s.Conditions = append(s.Conditions, readCondition(d))
			}
		}
	}
}

func readCondition(d *json.Decoder) (c object.Condition) {
	for name := range d.Members() {
		switch name {
		case "type":
			c.Type = d.String()
		case "status":
			c.Status = d.String()
		case "reason":
			c.Reason = d.String()
		}
	}
	return c
}
