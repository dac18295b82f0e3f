// SPDX-License-Identifier: Apache-2.0

package work

import (
	"encoding/json"
	"fmt"
	"slices"
)

// hour is the minimum of requeueAfterMillis. It is long, so that in a real queue the result causes no further calls
// during a measurement.
const hour = 3_600_000

// Get answers a request for an object, as k1s_client_get does.
type Get func(request []byte) (object []byte, err error)

// Run does the work with encoding/json and typed structs, and returns the reply.
func Run(input []byte, get Get) ([]byte, error) {
	var req request
	if err := json.Unmarshal(input, &req); err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	if req.Kind != "Item" || req.Object == nil {
		return nil, nil
	}
	ask, err := json.Marshal(key{
		APIVersion: "inventory.example.com/v1alpha1", Kind: "Category",
		Namespace: req.Object.Metadata.Namespace, Name: req.Object.Spec.Category,
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the Category: %w", err)
	}
	answer, err := get(ask)
	if err != nil {
		return nil, err
	}
	var cat categoryObject
	if err := json.Unmarshal(answer, &cat); err != nil {
		return nil, fmt.Errorf("read the Category: %w", err)
	}
	return json.Marshal(result{RequeueAfterMillis: hour + int64(checksum(req.Object, &cat))})
}

// availability returns what the Item controller derives from quantity and tags.
func availability(spec *itemSpec) string {
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

// checksum returns a checksum of what was read, which detects a plugin that skips something.
func checksum(item *itemObject, cat *categoryObject) uint32 {
	path := cat.Status.Path + "/" + item.Metadata.Name
	h := start.text(availability(&item.Spec)).text(path).text(item.Spec.Name).text(cat.Spec.Name)
	h = h.number(item.Spec.Quantity).number(item.Spec.Price).number(cat.Status.Depth).number(cat.Status.ItemCount)
	for _, tag := range item.Spec.Tags {
		h = h.text(tag)
	}
	for _, list := range [][]condition{item.Status.Conditions, cat.Status.Conditions} {
		for _, c := range list {
			h = h.text(c.Type).text(c.Status).text(c.Reason)
		}
	}
	return uint32(h) + labels(item.Metadata.Labels) + labels(cat.Metadata.Labels)
}

// labels returns a sum of hashes, because the order of labels is not defined.
func labels(m map[string]string) uint32 {
	var sum uint32
	for name, value := range m {
		sum += uint32(start.text(name).text(value))
	}
	return sum
}

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
