// SPDX-License-Identifier: Apache-2.0

//go:build !wasm

package host

// Func is a host function whose request and reply are JSON.
type Func struct{ name string }

// Name returns the function's name in the ABI.
func (f Func) Name() string { return f.name }

// The host functions.
var (
	Get          = Func{"k1s_client_get"}
	List         = Func{"k1s_client_list"}
	Create       = Func{"k1s_client_create"}
	Update       = Func{"k1s_client_update"}
	UpdateStatus = Func{"k1s_client_update_status"}
	Patch        = Func{"k1s_client_patch"}
	PatchStatus  = Func{"k1s_client_patch_status"}
	Apply        = Func{"k1s_client_apply"}
	Delete       = Func{"k1s_client_delete"}
	Event        = Func{"k1s_event"}
	HTTPRequest  = Func{"k1s_http_request"}
)
