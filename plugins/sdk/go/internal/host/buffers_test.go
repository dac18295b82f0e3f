// SPDX-License-Identifier: Apache-2.0

package host

import (
	"runtime"
	"testing"
)

// fill writes to a block as the host does, using only its address.
func fill(t *testing.T, b *Buffers, at uintptr, text string) {
	t.Helper()
	for _, block := range b.live {
		if address(block) == at {
			copy(block, text)
			return
		}
	}
	t.Fatal("no block has this address")
}

func TestBuffers_textIsWhatTheHostWrote(t *testing.T) {
	t.Parallel()
	var b Buffers
	first, second := b.Alloc(5), b.Alloc(6)
	fill(t, &b, first, "first")
	fill(t, &b, second, "second")
	for name, c := range map[string]struct {
		at     uintptr
		length uint32
		want   string
		ok     bool
	}{
		"first block":            {first, 5, "first", true},
		"second block":           {second, 6, "second", true},
		"less than was asked":    {second, 3, "sec", true},
		"from within":            {second + 3, 3, "ond", true},
		"nothing at nowhere":     {0, 0, "", true},
		"more than was asked":    {first, 6, "", false},
		"beyond from within":     {second + 3, 4, "", false},
		"nowhere":                {8, 1, "", false},
		"length wraps around":    {second + 1, 0xffffffff, "", false},
		"largest address":        {^uintptr(0), 2, "", false},
		"right behind the block": {first + 5, 4096, "", false},
	} {
		if got, ok := b.Text(c.at, c.length); got != c.want || ok != c.ok {
			t.Errorf("%s: got %q, %v; want %q, %v", name, got, ok, c.want, c.ok)
		}
	}
}

func TestBuffers_textOutlivesRelease(t *testing.T) {
	t.Parallel()
	var b Buffers
	at := b.Alloc(4)
	fill(t, &b, at, "kept")
	text, _ := b.Text(at, 4)
	b.Release()
	if _, ok := b.Text(at, 4); ok {
		t.Error("the block is still there after Release")
	}
	for range 100 {
		runtime.GC()
		fill(t, &b, b.Alloc(4), "XXXX")
	}
	if text != "kept" {
		t.Errorf("the text became %q", text)
	}
}

func TestBuffers_sizes(t *testing.T) {
	t.Parallel()
	var b Buffers
	if b.Alloc(0) == 0 {
		t.Error("no address for an empty block")
	}
	if b.Alloc(MaxPayload) == 0 {
		t.Error("no address for the largest payload")
	}
	if b.Alloc(MaxPayload+1) != 0 {
		t.Error("an address for more than a payload can have")
	}
	if len(b.live) != 2 {
		t.Errorf("%d blocks are kept, want 2", len(b.live))
	}
}
