// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/binary"
)

// TestModule_version checks that every version is a valid module with another digest.
func TestModule_version(t *testing.T) {
	t.Parallel()
	for _, m := range []module{soaker{}, sample{bytes: soakerModule}} {
		seen := map[plugin.Digest]bool{}
		for n := range 3 {
			bytes := m.version(n)
			outside, err := binary.Parse(bytes)
			if err != nil {
				t.Fatalf("%T, version %d: %v", m, n, err)
			}
			if _, ok := outside.Export("reconcile"); !ok {
				t.Errorf("%T, version %d exports no reconcile", m, n)
			}
			seen[plugin.DigestOf(bytes)] = true
		}
		if len(seen) != 3 {
			t.Errorf("%T: 3 versions have %d digests", m, len(seen))
		}
	}
}
