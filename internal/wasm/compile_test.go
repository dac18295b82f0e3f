// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/wasm/codecache"
)

// TestEngine_compile_panics verifies that a panic of the compiler becomes an error of that module. wazero 1.12 looks up
// the type of a called function without checking that it exists. binary.Parse rejects such modules earlier.
func TestEngine_compile_panics(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	module := "\x00asm\x01\x00\x00\x00" +
		"\x01\x04\x01\x60\x00\x00" + // one type, of a function without parameters and results
		"\x03\x03\x02\x00\x30" + // two functions, the second of type 48
		"\x0a\x09\x02\x04\x00\x10\x01\x0b\x02\x00\x0b" // the first calls the second
	code, err := e.compile(t.Context(), &codecache.Artifact{Module: []byte(module)}, false)
	if code != nil || err == nil || !strings.Contains(err.Error(), "the compiler failed: runtime error: index out of range") {
		t.Errorf("got %v, %v", code, err)
	}
}
