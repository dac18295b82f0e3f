// SPDX-License-Identifier: Apache-2.0

package abi

// ValueType is a WebAssembly value type as the binary format encodes it.
type ValueType byte

// Number types that the ABI uses.
const (
	I32 ValueType = 0x7f
	I64 ValueType = 0x7e
)

// String returns the name of the type in the WebAssembly text format.
func (v ValueType) String() string {
	switch v {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case 0x7d:
		return "f32"
	case 0x7c:
		return "f64"
	case 0x7b:
		return "v128"
	case 0x70:
		return "funcref"
	case 0x6f:
		return "externref"
	default:
		return "unknown"
	}
}

// Signature is the type of a function.
type Signature struct {
	Params, Results []ValueType
}

// ImportModule is the module name of all host functions.
const ImportModule = "k1s"

// Names of the host functions.
const (
	FuncGet          = "k1s_client_get"
	FuncList         = "k1s_client_list"
	FuncCreate       = "k1s_client_create"
	FuncUpdate       = "k1s_client_update"
	FuncPatch        = "k1s_client_patch"
	FuncApply        = "k1s_client_apply"
	FuncDelete       = "k1s_client_delete"
	FuncUpdateStatus = "k1s_client_update_status"
	FuncPatchStatus  = "k1s_client_patch_status"
	FuncEvent        = "k1s_event"
	FuncHTTPRequest  = "k1s_http_request"
	FuncLog          = "k1s_log"
	FuncNow          = "k1s_now"
	FuncRandom       = "k1s_random"
)

// Names of the exports of guests.
const (
	ExportMemory            = "memory"
	ExportABIVersion        = "k1s_abi_version"
	ExportAlloc             = "k1s_alloc"
	ExportMetadata          = "k1s_metadata"
	ExportInitialize        = "k1s_initialize"
	ExportShutdown          = "k1s_shutdown"
	ExportHealth            = "k1s_health"
	ExportReconcile         = "reconcile"
	ExportReconcileBatch    = "reconcile_batch"
	ExportFinalize          = "finalize"
	ExportValidateCreate    = "validate_create"
	ExportValidateUpdate    = "validate_update"
	ExportValidateDelete    = "validate_delete"
	ExportSetDefaults       = "set_defaults"
	ExportAdmit             = "admit"
	ExportReactorInitialize = "_initialize"
	ExportCommandStart      = "_start"
)

// MetadataSection is the name of the custom section that can hold the PluginMetadata.
const MetadataSection = "k1s.metadata"

// Common signatures.
var (
	bytesToReply = Signature{Params: []ValueType{I32, I32}, Results: []ValueType{I64}}
	nothing      = Signature{}
	toReply      = Signature{Results: []ValueType{I64}}
)

// Imports returns the host functions with their signatures.
func Imports() map[string]Signature {
	return map[string]Signature{
		FuncGet: bytesToReply, FuncList: bytesToReply, FuncCreate: bytesToReply, FuncUpdate: bytesToReply,
		FuncPatch: bytesToReply, FuncApply: bytesToReply, FuncDelete: bytesToReply,
		FuncUpdateStatus: bytesToReply, FuncPatchStatus: bytesToReply,
		FuncEvent: bytesToReply, FuncHTTPRequest: bytesToReply,
		FuncLog:    {Params: []ValueType{I32, I32, I32}},
		FuncNow:    toReply, // an i64 of nanoseconds, which is not a reply but has the same signature
		FuncRandom: {Params: []ValueType{I32, I32}},
	}
}

// Maximum sizes of requests of host functions, in bytes. The API server rejects requests above 3 MiB.
const (
	maxKeyRequest   = 64 << 10
	maxListRequest  = 128 << 10
	maxEventRequest = 256 << 10
	maxWriteRequest = 4 << 20
	maxHTTPRequest  = 8 << 20 // a body has six times its size if all its characters are escaped
)

// MaxRequest returns the maximum size in bytes of a request of a host function. Larger requests are rejected unread.
func MaxRequest(function string) int {
	switch function {
	case FuncGet, FuncDelete:
		return maxKeyRequest
	case FuncList:
		return maxListRequest
	case FuncEvent:
		return maxEventRequest
	case FuncHTTPRequest:
		return maxHTTPRequest
	default:
		return maxWriteRequest
	}
}

// RequiredExports returns the functions that every module must export, with their signatures. k1s_metadata is not
// required, because a custom section can replace it.
func RequiredExports() map[string]Signature {
	return map[string]Signature{
		ExportABIVersion: {Results: []ValueType{I32}},
		ExportAlloc:      {Params: []ValueType{I32}, Results: []ValueType{I32}},
	}
}

// OptionalExports returns the functions that a module can export, with their signatures.
func OptionalExports() map[string]Signature {
	return map[string]Signature{
		ExportMetadata:          toReply,
		ExportInitialize:        bytesToReply,
		ExportShutdown:          nothing,
		ExportHealth:            toReply,
		ExportReactorInitialize: nothing,
		ExportReconcile:         bytesToReply,
		ExportReconcileBatch:    bytesToReply,
		ExportFinalize:          bytesToReply,
		ExportValidateCreate:    bytesToReply,
		ExportValidateUpdate:    bytesToReply,
		ExportValidateDelete:    bytesToReply,
		ExportSetDefaults:       bytesToReply,
		ExportAdmit:             bytesToReply,
	}
}
