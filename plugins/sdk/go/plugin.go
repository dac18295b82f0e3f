// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Capability is something that a plugin can do and that must be granted to it.
type Capability string

// The capabilities.
const (
	// CapabilityReconcile is implied by Reconcilers.
	CapabilityReconcile Capability = "reconcile"
	// CapabilityStatusUpdate allows the plugin to write the status subresource.
	CapabilityStatusUpdate Capability = "status_update"
	// CapabilityFinalization is implied by Finalizers.
	CapabilityFinalization Capability = "finalization"
	// CapabilityValidation, CapabilityDefaulting and CapabilityAdmission are implied by handlers in Admission that
	// Validate, Default and Admit return.
	CapabilityValidation Capability = "validation"
	CapabilityDefaulting Capability = "defaulting"
	CapabilityAdmission  Capability = "admission"
)

// Plugin is the metadata of a plugin and its handlers.
type Plugin struct {
	// Name is the name of the module, and Version its version for people. Both are required.
	Name, Version string
	// Author and Description are for people. They may be empty.
	Author, Description string

	// Reconcilers are the handlers for reconciling, at most one for each kind: see For and ForKind.
	Reconcilers []Handler
	// Finalizers are the handlers for objects that are being deleted, at most one for each kind: see Finalize and
	// FinalizeKind. The operator adds the plugin's finalizer to the objects of all kinds of the plugin.
	Finalizers []Handler
	// Admission are the handlers for admission requests: see Validate, Default and Admit. There is at most one of each
	// for each kind.
	Admission []AdmissionHandler

	// Capabilities are the capabilities that the other fields do not imply.
	Capabilities []Capability

	// Settings receives the settings of the WasmPlugin before the first call. If it has none, Settings receives {}, so
	// that its UnmarshalK1s can set defaults. Nil means that settings are ignored.
	Settings json.Unmarshaler
	// ConfigSchema is the JSON Schema against which the operator validates settings before the plugin receives them. If
	// it is empty, all settings are valid.
	ConfigSchema json.Raw

	// MinMemoryPages is the memory that the plugin needs, in pages of 64 KiB. 0 means the minimum that the module
	// declares.
	MinMemoryPages uint32

	// MaxBatch is the maximum number of waiting requests that the operator passes in one call, at most 256. They are
	// handled one after another like separate requests, within the timeout of one call. 0 means that every request has
	// its own call.
	MaxBatch int

	// Deterministic declares that the results of the handlers that Validate and Default return depend only on the
	// objects and the settings: not on reads, the time, random numbers, or earlier calls. The operator may then cache
	// them.
	Deterministic bool

	// Initialize is called once per instance, after Settings is decoded. If it returns an error, the plugin is not
	// loaded.
	Initialize func(ctx context.Context) error
	// Health is called before a new revision serves. Nil means that the plugin is always healthy.
	Health func(ctx context.Context) error
	// Shutdown is called before an instance is released, unless the instance has failed.
	Shutdown func(ctx context.Context)
}

// registered is the plugin of this module. It is a package variable, because the exports that the operator calls are
// package functions.
var registered registration

type registration struct {
	plugin *Plugin
	err    error
}

// Register registers the plugin of this module. Call it once, in an init function. A second call, or an incomplete
// Plugin, is reported when the operator reads the metadata. The operator then rejects the module with that message.
func Register(p Plugin) {
	if registered.plugin != nil {
		registered.err = NewError(ReasonInvalid, "k1s.Register is called more than once: for "+
			quote(registered.plugin.Name)+" and for "+quote(p.Name))
		return
	}
	registered.plugin = &p
}

// current returns the registered plugin, or an error if there is none or more than one.
func (r *registration) current() (*Plugin, error) {
	if r.err == nil && r.plugin == nil {
		return nil, NewError(ReasonInvalid, "k1s.Register is not called: call it in an init function")
	}
	return r.plugin, r.err
}
