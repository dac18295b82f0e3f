// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"testing"

	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// BenchmarkRewrite measures the time to meter a module, by its size: a guest of a megabyte of functions with loops,
// calls and memory.
func BenchmarkRewrite(b *testing.B) {
	const n = 20_000
	body := function([]byte{0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x28, 2, 0, 0x21, 0, 0x20, 0, 0x20, 0, 0x28, 2, 4, 0x36, 2, 0, 0x20, 0, 0x10}, n/2,
		[]byte{0x22, 0, 0x0d, 0, 0x0b, 0x20, 0, 0x41, 0x80, 1, 0x6a})
	bodies, declared := cat(n), cat(n)
	for range n {
		bodies, declared = append(bodies, body...), append(declared, 0)
	}
	m := module(unary, section(funcSection, declared), section(memorySection, 1, []byte{0, 1}), run, section(codeSection, bodies))
	b.SetBytes(int64(len(m)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := meter.Rewrite(m, meter.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
