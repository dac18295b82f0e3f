// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// item has the fields of an Item that the plugin reads.
type item struct {
	name     string
	quantity int64
	price    int64 // in cents; 0 means no price
	category string
	tags     []string
}

// TypeRef returns the kind.
func (*item) TypeRef() k1s.TypeReference {
	return k1s.TypeReference{APIVersion: "inventory.example.com/v1alpha1", Kind: "Item"}
}

// UnmarshalK1s decodes an Item.
func (i *item) UnmarshalK1s(d *json.Decoder) {
	*i = item{}
	for name := range d.Members() {
		if name != "spec" {
			continue
		}
		for name := range d.Members() {
			switch name {
			case "name":
				i.name = d.String()
			case "quantity":
				i.quantity = d.Int()
			case "price":
				i.price = d.Int()
			case "category":
				i.category = d.String()
			case "tags":
				i.tags = d.Strings()
			}
		}
	}
}

// MarshalK1s encodes the fields of an Item that the plugin changes. The SDK leaves all other fields alone.
func (i *item) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	e.Key("spec").BeginObject()
	e.Key("category").String(i.category)
	e.EndObject()
	e.EndObject()
}

// is reports whether the item has a tag, ignoring case.
func (i *item) is(tag string) bool {
	return slices.ContainsFunc(i.tags, func(t string) bool { return strings.EqualFold(t, tag) })
}
