// SPDX-License-Identifier: Apache-2.0

//go:build wasm

package host

import "unsafe"

//go:wasmimport k1s k1s_client_get
func clientGet(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_client_list
func clientList(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_client_create
func clientCreate(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_client_update
func clientUpdate(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_client_update_status
func clientUpdateStatus(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_client_patch
func clientPatch(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_client_patch_status
func clientPatchStatus(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_client_apply
func clientApply(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_client_delete
func clientDelete(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_event
func event(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_http_request
func httpRequest(ptr unsafe.Pointer, size uint32) uint64

//go:wasmimport k1s k1s_log
func logText(level uint32, ptr unsafe.Pointer, size uint32)

//go:wasmimport k1s k1s_now
func now() uint64

//go:wasmimport k1s k1s_random
func random(ptr unsafe.Pointer, size uint32)
