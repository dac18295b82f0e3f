// SPDX-License-Identifier: Apache-2.0

//go:build wasm

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
)

// The exports of the guest ABI. They convert between the numbers of the ABI and the functions in dispatch.go, which do
// the work and are tested natively.

//go:wasmexport k1s_abi_version
func exportABIVersion() uint32 { return host.ABIVersion }

//go:wasmexport k1s_alloc
func exportAlloc(size uint32) uint32 { return host.Alloc(size) }

//go:wasmexport k1s_metadata
func exportMetadata() uint64 { return answer(serveMetadata(&registered)) }

//go:wasmexport k1s_initialize
func exportInitialize(ptr, size uint32) uint64 {
	settings, ok := host.Input(ptr, size)
	if !ok {
		return answer(nil, errInput)
	}
	return answer(nil, serveInitialize(&registered, settings))
}

//go:wasmexport k1s_health
func exportHealth() uint64 { return answer(nil, serveHealth(&registered)) }

//go:wasmexport k1s_shutdown
func exportShutdown() {
	serveShutdown(&registered)
	answer(nil, nil)
}

//go:wasmexport reconcile
func exportReconcile(ptr, size uint32) uint64 {
	return serve(ptr, size, func(input string) ([]byte, error) { return serveReconcile(&registered, input) })
}

//go:wasmexport reconcile_batch
func exportReconcileBatch(ptr, size uint32) uint64 {
	return serve(ptr, size, func(input string) ([]byte, error) { return serveReconcileBatch(&registered, input) })
}

//go:wasmexport finalize
func exportFinalize(ptr, size uint32) uint64 {
	return serve(ptr, size, func(input string) ([]byte, error) { return serveFinalize(&registered, input) })
}

//go:wasmexport validate_create
func exportValidateCreate(ptr, size uint32) uint64 {
	return serve(ptr, size, func(input string) ([]byte, error) {
		return serveAdmission(&registered, CapabilityValidation, OperationCreate, input)
	})
}

//go:wasmexport validate_update
func exportValidateUpdate(ptr, size uint32) uint64 {
	return serve(ptr, size, func(input string) ([]byte, error) {
		return serveAdmission(&registered, CapabilityValidation, OperationUpdate, input)
	})
}

//go:wasmexport validate_delete
func exportValidateDelete(ptr, size uint32) uint64 {
	return serve(ptr, size, func(input string) ([]byte, error) {
		return serveAdmission(&registered, CapabilityValidation, OperationDelete, input)
	})
}

//go:wasmexport set_defaults
func exportSetDefaults(ptr, size uint32) uint64 {
	return serve(ptr, size, func(input string) ([]byte, error) {
		return serveAdmission(&registered, CapabilityDefaulting, OperationUpdate, input)
	})
}

//go:wasmexport admit
func exportAdmit(ptr, size uint32) uint64 {
	return serve(ptr, size, func(input string) ([]byte, error) { return serveAdmission(&registered, CapabilityAdmission, "", input) })
}

// serve serves an export whose input and reply are bytes.
func serve(ptr, size uint32, run func(input string) ([]byte, error)) uint64 {
	input, ok := host.Input(ptr, size)
	if !ok {
		return answer(nil, errInput)
	}
	return answer(run(input))
}

var errInput = NewError(ReasonBadRequest, "the input is not in a buffer that k1s_alloc gave")

func answer(reply []byte, err error) uint64 {
	if err != nil {
		return host.Answer(statusOf(err), true)
	}
	return host.Answer(reply, false)
}
