// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// filled returns a memory with a few bytes that are not zero.
func filled(size int) []byte {
	m := make([]byte, size)
	m[0], m[5000], m[size/2], m[size-1] = 1, 2, 3, 4
	return m
}

// TestImage verifies that a memory that was mapped from an image has the content of the image, that writes to it do not
// change the image, and that reset undoes them.
func TestImage(t *testing.T) {
	t.Parallel()
	want := filled(3 * pageSize)
	from, err := newImage(want, nil)
	if err != nil {
		t.Fatal(err)
	}
	var retained int64
	allocate := func() *linearMemory {
		a := &memoryAllocator{limit: 8 * pageSize, from: from, count: func(delta int64) { retained += delta }}
		return a.Allocate(pageSize, 1<<32).(*linearMemory)
	}
	one, two := allocate(), allocate()
	first, second := one.Reallocate(3*pageSize), two.Reallocate(3*pageSize)
	from.close()
	for i := range first {
		first[i] = 0xff
	}
	if !bytes.Equal(second, want) {
		t.Error("what one memory writes is in the other, or the image was not copied")
	}
	if !one.reset() || !bytes.Equal(first, want) {
		t.Error("a memory is not the image again")
	}
	if grown := two.Reallocate(5 * pageSize); len(grown) != 5*pageSize || grown[5*pageSize-1] != 0 || !bytes.Equal(grown[:3*pageSize], want) {
		t.Error("growing changed what is there")
	}
	if two.reset() {
		t.Error("a memory that has grown cannot be what it was")
	}
	one.Free()
	two.Free()
	if retained != 0 {
		t.Errorf("%d bytes are accounted for at the end", retained)
	}
}

// resident returns the resident memory of the process in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	statm := testfile.Read(t, "/proc/self/statm")
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestEngine_memory_returned verifies that the memory that guests have written is returned to the machine when their
// instances are closed.
func TestEngine_memory_returned(t *testing.T) {
	e, _ := newEngine(t)
	const pages = 1000
	r := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Limits.MaxMemoryPages = 2 * pages })
	before := resident(t)
	// Grow the memory, then write to all of it.
	if _, err := mode(t.Context(), r, 'm', u32(pages)...); err != nil {
		t.Fatal(err)
	}
	in := r.(*runner).pool.unused[0].in
	if n := len(in.memory.space[:in.memory.committed]); n < pages*pageSize {
		t.Fatalf("the memory has %d bytes", n)
	}
	for i := 0; i < int(in.memory.committed); i += 4096 {
		in.memory.space[i]++
	}
	if grown := resident(t) - before; grown < pages*pageSize/2 {
		t.Fatalf("writing to %d bytes made the process grow by %d only", pages*pageSize, grown)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the memory is given back", func() bool { return resident(t)-before < pages*pageSize/4 })
}

// TestEngine_instantiate_noMemory verifies that a call fails with an error if the machine has no memory for another
// instance.
func TestEngine_instantiate_noMemory(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes").(*runner)
	req := r.req
	req.Limits.MaxMemoryPages = 0 // no memory can be allocated
	if in, err := e.instantiate(t.Context(), r.code, req, nil); err == nil {
		in.close(t.Context())
		t.Error("there is an instance without memory")
	}
	if _, err := r.Call(context.Background(), plugin.Call{Export: abi.ExportReconcile, Input: []byte("n")}); err != nil {
		t.Errorf("another instance: %v", err)
	}
}
