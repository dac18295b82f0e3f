// SPDX-License-Identifier: Apache-2.0

// Package objects implements the objects that the Go guests decode with the SDK's decoder, and the result that they
// compute from them. It does not depend on the binding to a host.
package objects

import "github.com/k1s-io/k1s/plugins/sdk/go/json"

// APIVersion is the apiVersion of both kinds.
const APIVersion = "inventory.example.com/v1alpha1"

// Item is the part of an Item that the guests read.
type Item struct {
	Metadata
	Category        string
	name            string
	quantity, price int64
	tags            []string
	conditions      []condition
}

// Category is the part of a Category that the guests read.
type Category struct {
	Metadata
	name, path       string
	depth, itemCount int64
	conditions       []condition
}

type condition struct{ kind, status, reason string }

// Metadata is the part of an object's metadata that the guests read.
type Metadata struct {
	Name, Namespace, UID string
	// labels is the checksum of the labels.
	labels uint32
}

// GetName returns the name.
func (m *Metadata) GetName() string { return m.Name }

// GetNamespace returns the namespace.
func (m *Metadata) GetNamespace() string { return m.Namespace }

// GetUID returns the UID.
func (m *Metadata) GetUID() string { return m.UID }

func (m *Metadata) read(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "name":
			m.Name = d.String()
		case "namespace":
			m.Namespace = d.String()
		case "uid":
			m.UID = d.String()
		case "labels":
			for name := range d.Members() {
				m.labels += uint32(start.text(name).text(d.String()))
			}
		}
	}
}

// UnmarshalK1s decodes an Item.
func (i *Item) UnmarshalK1s(d *json.Decoder) {
	*i = Item{}
	for name := range d.Members() {
		switch name {
		case "metadata":
			i.read(d)
		case "spec":
			i.readSpec(d)
		case "status":
			for name := range d.Members() {
				if name == "conditions" {
					i.conditions = readConditions(d)
				}
			}
		}
	}
}

func (i *Item) readSpec(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "name":
			i.name = d.String()
		case "category":
			i.Category = d.String()
		case "quantity":
			i.quantity = d.Int()
		case "price":
			i.price = d.Int()
		case "tags":
			i.tags = d.Strings()
		}
	}
}

// UnmarshalK1s decodes a Category.
func (c *Category) UnmarshalK1s(d *json.Decoder) {
	*c = Category{}
	for name := range d.Members() {
		switch name {
		case "metadata":
			c.read(d)
		case "spec":
			for name := range d.Members() {
				if name == "name" {
					c.name = d.String()
				}
			}
		case "status":
			c.readStatus(d)
		}
	}
}

func (c *Category) readStatus(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "path":
			c.path = d.String()
		case "depth":
			c.depth = d.Int()
		case "itemCount":
			c.itemCount = d.Int()
		case "conditions":
			c.conditions = readConditions(d)
		}
	}
}

func readConditions(d *json.Decoder) []condition {
	var list []condition
	for range d.Elements() {
		var c condition
		for name := range d.Members() {
			switch name {
			case "type":
				c.kind = d.String()
			case "status":
				c.status = d.String()
			case "reason":
				c.reason = d.String()
			}
		}
		list = append(list, c)
	}
	return list
}
