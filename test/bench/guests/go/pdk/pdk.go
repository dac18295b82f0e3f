// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

// Package pdk binds the Go guests for Extism to their host.
package pdk

import (
	"errors"

	"github.com/extism/go-pdk"
)

// Work is the function of the guest, which main sets in an init function.
var Work func(input []byte) ([]byte, error)

//go:wasmimport extism:host/user get
func userGet(request uint64) uint64

// Get asks the host for an object.
func Get(request []byte) ([]byte, error) {
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
	reply, err := Work(pdk.Input())
	if err != nil {
		pdk.SetError(err)
		return 1
	}
	pdk.Output(reply)
	return 0
}
