// SPDX-License-Identifier: Apache-2.0

//go:build wasm

package host

import "unsafe"

// Func is a host function whose request and reply are JSON.
//
// It holds the imported function and not a number that a switch maps to one, so that a module imports only the
// functions that its plugin can call.
type Func struct {
	name string
	call func(ptr unsafe.Pointer, size uint32) uint64
}

// Name returns the function's name in the ABI.
func (f Func) Name() string { return f.name }

// The host functions.
var (
	Get          = Func{"k1s_client_get", clientGet}
	List         = Func{"k1s_client_list", clientList}
	Create       = Func{"k1s_client_create", clientCreate}
	Update       = Func{"k1s_client_update", clientUpdate}
	UpdateStatus = Func{"k1s_client_update_status", clientUpdateStatus}
	Patch        = Func{"k1s_client_patch", clientPatch}
	PatchStatus  = Func{"k1s_client_patch_status", clientPatchStatus}
	Apply        = Func{"k1s_client_apply", clientApply}
	Delete       = Func{"k1s_client_delete", clientDelete}
	Event        = Func{"k1s_event", event}
	HTTPRequest  = Func{"k1s_http_request", httpRequest}
)
