// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
)

// TestHost_functions verifies that every host function is offered with its signature in the ABI.
func TestHost_functions(t *testing.T) {
	t.Parallel()
	offered := hostFunctions()
	for name := range abi.Imports() {
		if offered[name] == nil {
			t.Errorf("%s is not offered", name)
		}
		delete(offered, name)
	}
	for name := range offered {
		t.Errorf("%s is offered, but the ABI does not have it", name)
	}
}

func TestHost_simpleFunctions(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes")
	before := time.Now().UnixNano()
	now, err := mode(t.Context(), r, 's')
	if err != nil || len(now) != 8 {
		t.Fatalf("k1s_now: %v, %v", now, err)
	}
	if ns := int64(binary.LittleEndian.Uint64(now)); ns < before || ns > time.Now().UnixNano() {
		t.Errorf("k1s_now is %d, want between %d and now", ns, before)
	}
	one, err := mode(t.Context(), r, 'l', u32(1024, 16)...)
	two, err2 := mode(t.Context(), r, 'l', u32(1024, 16)...)
	if err != nil || err2 != nil || slices.Equal(one, two) || slices.Equal(one, make([]byte, 16)) {
		t.Errorf("k1s_random: %x and %x, %v, %v", one, two, err, err2)
	}
}
