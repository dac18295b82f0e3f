// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"encoding/json"
	"hash/maphash"
	"maps"
	"math/big"
	"slices"
)

// fewItems is up to how many items the library compares with one another, without a hash.
const fewItems = 20

// comparisons pays for finding equal items (uniqueItems). The library compares those that have the same hash, and its hash is not
// one to rely on: it does not tell [[a],b] from [[a,b]], so there are lists whose items all have the same. Thus it is
// computed here first.
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

// writeHash writes to a hash what the library does.
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
