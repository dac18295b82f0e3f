// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

// Command extism is the benchmark's guest in standard Go for Extism with encoding/json, as Extism's Go PDK provides it.
// The work is that of the native peer, compiled to WebAssembly.
package main

import (
	"github.com/k1s-io/k1s/test/bench/guests/go/pdk"
	"github.com/k1s-io/k1s/test/bench/work"
)

func init() {
	pdk.Work = func(input []byte) ([]byte, error) { return work.Run(input, pdk.Get) }
}

func main() {}
