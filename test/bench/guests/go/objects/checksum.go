// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"slices"
	"time"
)

// RequeueAfter returns the result of a reconcile: one hour plus the checksum in milliseconds.
func RequeueAfter(i *Item, c *Category) time.Duration {
	return time.Hour + time.Duration(checksum(i, c))*time.Millisecond
}

func availability(i *Item) string {
	switch {
	case slices.Contains(i.tags, "discontinued"):
		return "Discontinued"
	case i.quantity == 0:
		return "OutOfStock"
	case slices.Contains(i.tags, "reserved"):
		return "Reserved"
	default:
		return "Available"
	}
}

func checksum(i *Item, c *Category) uint32 {
	h := start.text(availability(i)).text(c.path + "/" + i.Name).text(i.name).text(c.name)
	h = h.number(i.quantity).number(i.price).number(c.depth).number(c.itemCount)
	for _, tag := range i.tags {
		h = h.text(tag)
	}
	for _, list := range [][]condition{i.conditions, c.conditions} {
		for _, c := range list {
			h = h.text(c.kind).text(c.status).text(c.reason)
		}
	}
	return uint32(h) + i.labels + c.labels
}

// hash is a 32-bit FNV-1a hash.
type hash uint32

const start hash = 2166136261

func (h hash) byte(b byte) hash { return (h ^ hash(b)) * 16777619 }

func (h hash) text(s string) hash {
	for i := range len(s) {
		h = h.byte(s[i])
	}
	return h.byte(0xff)
}

func (h hash) number(n int64) hash {
	for range 8 {
		h = h.byte(byte(n))
		n >>= 8
	}
	return h
}
