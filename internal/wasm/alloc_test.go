// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// TestRunner_Call_alloc verifies that a guest whose k1s_alloc violates the ABI fails the calls that need it.
func TestRunner_Call_alloc(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	tests := []struct {
		fixture string
		kind    plugin.Kind
		want    string
	}{
		{"alloc_zero", plugin.KindViolation, "k1s_alloc(2) returned 0: the guest is out of memory"},
		{"alloc_outside", plugin.KindViolation, "k1s_alloc(2) returned 65535, which is outside the memory of 65536 bytes"},
		{"alloc_trap", plugin.KindTrap, "Trap: unreachable"},
		{"alloc_host", plugin.KindViolation, "k1s_alloc called a host function that replies"},
	}
	for _, tt := range tests {
		t.Run(tt.fixture, func(t *testing.T) {
			t.Parallel()
			r := load(t, e, tt.fixture)
			for range 2 { // the second call uses another instance
				_, err := r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte("{}")})
				if plugin.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s: %s", err, tt.kind, tt.want)
				}
				if got := len(r.(*runner).pool.unused); got != 0 {
					t.Errorf("%d instances were kept, want 0", got)
				}
			}
			if _, err := r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile}); err != nil {
				t.Errorf("without input nothing is allocated: %v", err)
			}
		})
	}
}

func TestEngine_memory(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	grow := func(r plugin.Runner, pages uint32) string {
		reply, err := mode(t.Context(), r, 'm', u32(pages)...)
		if err != nil {
			t.Error(err)
		}
		return string(reply)
	}
	t.Run("grown before the first call", func(t *testing.T) {
		t.Parallel()
		r := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Limits.MinMemoryPages = 10 })
		if got := grow(r, 0); got != string(u32(10)) {
			t.Errorf("%x pages, want 10", got)
		}
	})
	t.Run("page by page to the limit", func(t *testing.T) {
		t.Parallel()
		r := load(t, e, "modes")
		for page := range uint32(63) {
			if got := grow(r, 1); got != string(u32(page+1)) {
				t.Fatalf("memory.grow returned %x, want %d", got, page+1)
			}
		}
		if got := grow(r, 1); got != string(u32(0xffffffff)) {
			t.Errorf("beyond the limit memory.grow returned %x", got)
		}
		if got := calls(t, r); got != 1 {
			t.Errorf("call %d, want 1: the instance lives on", got)
		}
	})
	t.Run("at the limit from the start", func(t *testing.T) {
		t.Parallel()
		r := load(t, e, "memory_full", func(req *plugin.LoadRequest) { req.Limits.MinMemoryPages = 64 })
		if _, err := r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte("{}")}); err != nil {
			t.Error(err)
		}
	})
}

// TestLinearMemory verifies that the memory keeps its content when it grows, that new bytes are zeros, that it does not
// exceed its limit, and that its size is counted.
func TestLinearMemory(t *testing.T) {
	t.Parallel()
	var retained int64
	a := &memoryAllocator{limit: 4 * pageSize, count: func(delta int64) { retained += delta }}
	m := a.Allocate(pageSize, 10*pageSize)
	one := m.Reallocate(pageSize)
	if len(one) != pageSize {
		t.Fatalf("%d bytes, want %d", len(one), pageSize)
	}
	one[pageSize-1] = 7
	for pages := 2; pages <= 4; pages++ {
		b := m.Reallocate(uint64(pages) * pageSize)
		if len(b) != pages*pageSize || b[pageSize-1] != 7 || b[len(b)-1] != 0 {
			t.Errorf("%d pages: %d bytes, %d, %d", pages, len(b), b[pageSize-1], b[len(b)-1])
		}
		if cap(b) > 4*pageSize {
			t.Errorf("%d bytes are reserved, more than the limit", cap(b))
		}
		if retained != int64(pages)*pageSize {
			t.Errorf("%d bytes are accounted for, want %d pages", retained, pages)
		}
	}
	if b := m.Reallocate(5 * pageSize); b != nil {
		t.Errorf("beyond the limit: %d bytes", len(b))
	}
	m.Free()
	m.Free()
	if retained != 0 {
		t.Errorf("%d bytes are accounted for at the end", retained)
	}
	if b := m.Reallocate(pageSize); b != nil {
		t.Error("a memory that is given back can be had again")
	}
}
