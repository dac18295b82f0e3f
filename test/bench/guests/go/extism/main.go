// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

// Command extism is the benchmark's guest in standard Go for Extism with encoding/json, as Extism's Go PDK provides it.
// The work is that of the native peer, compiled to WebAssembly.
package main

import (
	"errors"

	pdk "github.com/extism/go-pdk"

	"github.com/k1s-io/k1s/test/bench/work"
)

//go:wasmimport extism:host/user get
func userGet(request uint64) uint64

func get(request []byte) ([]byte, error) {
	question := pdk.AllocateBytes(request)
	defer question.Free()
	at := userGet(question.Offset())
	if at == 0 {
		return nil, errors.New("no answer")
	}
	answer := pdk.FindMemory(at)
	defer answer.Free()
	return answer.ReadBytes(), nil
}

//go:wasmexport reconcile
func reconcile() int32 {
	reply, err := work.Run(pdk.Input(), get)
	if err != nil {
		pdk.SetError(err)
		return 1
	}
	pdk.Output(reply)
	return 0
}

func main() {}
