// SPDX-License-Identifier: Apache-2.0

// Package object implements what is the same in all versions of the work in Go: the part of an Item and of a Category
// that is read, and the result. It imports hardly anything, because it is compiled into guests.
package object

import "slices"

// APIVersion is the apiVersion of both kinds.
const APIVersion = "inventory.example.com/v1alpha1"

// Object is the part of an Item or a Category that is read.
type Object struct {
	Metadata Metadata `json:"metadata"`
	Spec     Spec     `json:"spec"`
	Status   Status   `json:"status"`
}

// Metadata is the part of an object's metadata that is read.
type Metadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
	// LabelSum is used instead of Labels by a decoder that sums up the labels while it reads them.
	LabelSum uint32 `json:"-"`
}

// Spec is the spec of an Item. A Category has only the name.
type Spec struct {
	Name     string   `json:"name"`
	Quantity int64    `json:"quantity"`
	Price    int64    `json:"price"`
	Category string   `json:"category"`
	Tags     []string `json:"tags"`
}

// Status is the status of a Category. Of an Item, only the conditions are read.
type Status struct {
	Path       string      `json:"path"`
	Depth      int64       `json:"depth"`
	ItemCount  int64       `json:"itemCount"`
	Conditions []Condition `json:"conditions"`
}

// Condition is the part of a condition that is read.
type Condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
	Reason string `json:"reason"`
}

// hour is the minimum of the result. It is long, so that in a real queue the result causes no further calls during a
// measurement.
const hour = 3_600_000

// RequeueAfterMillis returns the result of a reconcile: one hour plus a checksum of what was read, which detects a
// plugin that skips something.
func RequeueAfterMillis(item, category *Object) int64 {
	h := start.text(availability(&item.Spec)).text(category.Status.Path + "/" + item.Metadata.Name).text(item.Spec.Name).text(category.Spec.Name)
	h = h.number(item.Spec.Quantity).number(item.Spec.Price).number(category.Status.Depth).number(category.Status.ItemCount)
	for _, tag := range item.Spec.Tags {
		h = h.text(tag)
	}
	for _, list := range [][]Condition{item.Status.Conditions, category.Status.Conditions} {
		for _, c := range list {
			h = h.text(c.Type).text(c.Status).text(c.Reason)
		}
	}
	return hour + int64(uint32(h)+item.Metadata.labels()+category.Metadata.labels())
}

// availability returns what the Item controller derives from quantity and tags.
func availability(spec *Spec) string {
	switch {
	case slices.Contains(spec.Tags, "discontinued"):
		return "Discontinued"
	case spec.Quantity == 0:
		return "OutOfStock"
	case slices.Contains(spec.Tags, "reserved"):
		return "Reserved"
	default:
		return "Available"
	}
}

// labels returns a sum of hashes, because the order of labels is not defined.
func (m *Metadata) labels() uint32 {
	sum := m.LabelSum
	for name, value := range m.Labels {
		sum += Label(name, value)
	}
	return sum
}

// Label returns the hash of a label.
func Label(name, value string) uint32 { return uint32(start.text(name).text(value)) }

// hash is a 32-bit FNV-1a hash.
type hash uint32

const start hash = 2166136261

func (h hash) byte(b byte) hash { return (h ^ hash(b)) * 16777619 }

// text adds a text and an end marker.
func (h hash) text(s string) hash {
	for i := range len(s) {
		h = h.byte(s[i])
	}
	return h.byte(0xff)
}

// number adds the eight bytes of a number, the lowest one first.
func (h hash) number(n int64) hash {
	for range 8 {
		h = h.byte(byte(n))
		n >>= 8
	}
	return h
}
