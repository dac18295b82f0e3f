// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"encoding/json"
	"hash/maphash"
	"maps"
	"math/big"
	"slices"
)

// fewItems is the number of items up to which the library compares all pairs, without a hash.
const fewItems = 20

// comparisons charges for the search for equal items (uniqueItems). The library compares the items with the same hash.
// Its hash is not reliable: [[a],b] and [[a,b]] have the same one, so there are lists whose items all have the same
// hash. Therefore the hash is computed here first.
func (m *meter) comparisons(items []any) {
	each := make([]int, len(items))
	for i, item := range items {
		var l load
		l.compare(item)
		each[i] = l.plain + l.numbers*m.number
		m.take(4 * each[i])
	}
	if len(items) <= fewItems {
		for i := range items {
			m.take(i * each[i])
		}
		return
	}
	var h maphash.Hash
	same := map[uint64]int{}
	for i, item := range items {
		h.Reset()
		writeHash(item, &h)
		sum := h.Sum64()
		m.take(same[sum] * each[i])
		same[sum]++
	}
}

// writeHash writes the same bytes to a hash as the library.
func writeHash(v any, h *maphash.Hash) {
	switch v := v.(type) {
	case map[string]any:
		_ = h.WriteByte(0)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			writeHash(name, h)
			writeHash(v[name], h)
		}
	case []any:
		_ = h.WriteByte(1)
		for _, item := range v {
			writeHash(item, h)
		}
	case nil:
		_ = h.WriteByte(2)
	case bool:
		_ = h.WriteByte(3)
		if v {
			_ = h.WriteByte(1)
		} else {
			_ = h.WriteByte(0)
		}
	case string:
		_ = h.WriteByte(4)
		_, _ = h.WriteString(v)
	case json.Number:
		_ = h.WriteByte(5)
		if number, ok := new(big.Rat).SetString(string(v)); ok {
			_, _ = h.Write(number.Num().Bytes())
			_, _ = h.Write(number.Denom().Bytes())
		}
	}
}
