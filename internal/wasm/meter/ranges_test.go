// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"

	"github.com/k1s-io/k1s/internal/wasm/meter"
)

const (
	rangePages = 8
	rangeBytes = rangePages << 16
	// segmentBytes is the length of the passive data segment of rangeModule.
	segmentBytes = 200_000
)

// rangeModule exports an instruction on a range of memory as run(to, from, length), and the memory, in which no two
// adjacent words are equal.
func rangeModule(drop bool, instruction ...byte) []byte {
	filler := make([]byte, rangeBytes)
	for i := range filler {
		filler[i] = byte(i ^ i>>8 ^ i>>16*7)
	}
	first := []byte{}
	if drop {
		first = []byte{0xfc, 9, 1}
	}
	return module(section(typeSection, 1, []byte{0x60, 3, i32, i32, i32, 0}), section(funcSection, 1, 0),
		section(memorySection, 1, []byte{0, rangePages}), section(exportSection, 2, "run", []byte{0, 0}, "memory", []byte{2, 0}),
		section(countSection, 2),
		section(codeSection, 1, function(first, []byte{0x20, 0, 0x20, 1, 0x20, 2}, instruction)),
		section(dataSection, 2, []byte{0, 0x41, 0, 0x0b}, len(filler), filler, []byte{1}, segmentBytes, bytes.Repeat([]byte("data "), segmentBytes/5)))
}

// TestRewrite_ranges runs instructions on ranges of memory unmetered and metered, within and beyond the memory, and
// overlapping in both directions: memory and traps must be the same.
func TestRewrite_ranges(t *testing.T) {
	fill, copied, init := []byte{0xfc, 11, 0}, []byte{0xfc, 10, 0, 0}, []byte{0xfc, 8, 1, 0}
	const step = 64 << 10
	lengths := []uint64{0, 1, step - 1, step, step + 1, 2 * step, 2*step + 1, 3*step - 1, segmentBytes, segmentBytes + 1, rangeBytes, rangeBytes + 1, 1 << 31, 1<<32 - 1}
	places := []uint64{0, 1, 8, step - 1, step, step + 1, 2*step + 5, rangeBytes - 3*step, rangeBytes - step, rangeBytes, 1<<32 - 1}
	for name, m := range map[string][]byte{
		"fill": rangeModule(false, fill...), "copy": rangeModule(false, copied...), "init": rangeModule(false, init...),
		"init of a dropped segment": rangeModule(true, init...),
	} {
		t.Run(name, func(t *testing.T) {
			run := func(h *host) func(to, from, length uint64) outcome {
				mod, err := h.instantiate(m, "")
				if err != nil {
					t.Fatal(err)
				}
				before, _ := mod.Memory().Read(0, rangeBytes)
				before = bytes.Clone(before)
				return func(to, from, length uint64) outcome {
					mod.Memory().Write(0, before)
					_, err := mod.ExportedFunction("run").Call(context.Background(), to, from, length)
					o := outcome{Trap: trap(err)}
					after, _ := mod.Memory().Read(0, rangeBytes)
					o.Memory = sha256.Sum256(after)
					return o
				}
			}
			metered := newHost(t, wazero.NewRuntimeConfig())
			metered.metered, metered.grant = true, 1<<40
			plain, counted := run(newHost(t, wazero.NewRuntimeConfig())), run(metered)
			for _, length := range lengths {
				for _, to := range places {
					for _, from := range places {
						want, got := plain(to, from, length), counted(to, from, length)
						if diff := cmp.Diff(want, got); diff != "" {
							t.Fatalf("to %d, from %d, %d bytes (-unmetered +metered)\n%s", to, from, length, diff)
						}
					}
				}
			}
		})
	}
}

// TestRewrite_rangeChunks verifies that a guest can be stopped between the chunks of a range, and that the chunks cost
// as much as the range.
func TestRewrite_rangeChunks(t *testing.T) {
	const (
		length = 3<<16 + 800
		step   = 1 << (16 - meter.BulkShift)
	)
	for name, instruction := range map[string][]byte{"fill": {0xfc, 11, 0}, "copy": {0xfc, 10, 0, 0}, "init": {0xfc, 8, 1, 0}} {
		for _, direction := range []struct{ to, from uint64 }{{0, 8}, {8, 0}} {
			t.Run(fmt.Sprintf("%s %d %d", name, direction.to, direction.from), func(t *testing.T) {
				h := newHost(t, wazero.NewRuntimeConfig())
				h.metered = true
				mod, err := h.instantiate(rangeModule(false, instruction...), "")
				if err != nil {
					t.Fatal(err)
				}
				call := func() error {
					_, err := mod.ExportedFunction("run").Call(context.Background(), direction.to, direction.from, length)
					return err
				}
				setGlobal(mod, meter.ExportFuel, 1<<20)
				if err := call(); err != nil {
					t.Fatal(err)
				}
				if used := 1<<20 - getGlobal(mod, meter.ExportFuel); used != 4+16+length>>meter.BulkShift {
					t.Errorf("%d bytes cost %d", length, used)
				}
				h.grant = 0
				h.after = func(fuel int64) {
					if fuel < -step {
						t.Errorf("ran %d beyond its fuel", -fuel)
					}
					if h.yields == 4 {
						panic(errDeadline)
					}
				}
				setGlobal(mod, meter.ExportFuel, 4+16)
				if err := call(); !errors.Is(err, errDeadline) {
					t.Errorf("ended with %v", err)
				}
			})
		}
	}
}
