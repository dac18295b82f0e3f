// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Capability is something a plugin does and the operator must grant.
type Capability string

// The capabilities.
const (
	// CapabilityReconcile follows from having Reconcilers.
	CapabilityReconcile Capability = "reconcile"
	// CapabilityStatusUpdate lets the plugin write the status subresource.
	CapabilityStatusUpdate Capability = "status_update"
	// CapabilityFinalization follows from having Finalizers.
	CapabilityFinalization Capability = "finalization"
	// CapabilityValidation, CapabilityDefaulting and CapabilityAdmission follow from what is in Admission:
	// what Validate, Default and Admit make.
	CapabilityValidation Capability = "validation"
	CapabilityDefaulting Capability = "defaulting"
	CapabilityAdmission  Capability = "admission"
)

// Plugin is what a plugin says of itself and the code that it runs.
type Plugin struct {
	// Name is the module's name, and Version its version for people. Both are needed.
	Name, Version string
	// Author and Description are for people. Empty means that they are left out.
	Author, Description string

	// Reconcilers are the handlers, one for each kind: see For and ForKind.
	Reconcilers []Handler
	// Finalizers are the handlers of objects that are being deleted, one for each kind: see Finalize and
	// FinalizeKind. The operator puts its finalizer on the objects of all kinds of the plugin.
	Finalizers []Handler
	// Admission are the handlers of requests to the API server that wait for the plugin: see Validate, Default
	// and Admit, at most one of them for each kind.
	Admission []AdmissionHandler

	// Capabilities are those that do not follow from what else is set.
	Capabilities []Capability

	// Settings receives the settings of the WasmPlugin before the first call; {} when it has none, so
	// its UnmarshalK1s sets the defaults. nil means that settings are ignored.
	Settings json.Unmarshaler
	// ConfigSchema is the JSON Schema that the operator checks settings against before the plugin sees
	// them. Empty means that it takes any.
	ConfigSchema json.Raw

	// MinMemoryPages is the memory that the plugin needs to work, in pages of 64 KiB. 0 means as much
	// as the module asks for by itself.
	MinMemoryPages uint32

	// MaxBatch is how many requests that wait the operator may hand over in one call, at most 256. Each
	// is handled as if it came alone, one after another and within the time of one call. 0 means that
	// every request has a call of its own.
	MaxBatch int

	// Deterministic promises that the answers of what Validate and Default make depend on the objects and the
	// settings alone: not on reads, the time, chance, or earlier calls. The operator may then remember them.
	Deterministic bool

	// Initialize is called once per instance, after Settings is filled. An error keeps the plugin from
	// being loaded.
	Initialize func(ctx context.Context) error
	// Health is asked before a new revision serves; nil means always healthy.
	Health func(ctx context.Context) error
	// Shutdown is called before an instance is released, but not after it failed.
	Shutdown func(ctx context.Context)
}

// registered is the plugin of this module. It is a package variable because the exports that the
// operator calls are package functions.
var registered registration

type registration struct {
	plugin *Plugin
	err    error
}

// Register says what this module is. It is called once, in an init function. A second call, or a Plugin
// that is not complete, is reported when the operator asks for the metadata, and the operator refuses
// the module with that message.
func Register(p Plugin) {
	if registered.plugin != nil {
		registered.err = NewError(ReasonInvalid, "k1s.Register is called more than once: for "+
			quote(registered.plugin.Name)+" and for "+quote(p.Name))
		return
	}
	registered.plugin = &p
}

// current returns the registered plugin.
func (r *registration) current() (*Plugin, error) {
	if r.err == nil && r.plugin == nil {
		return nil, NewError(ReasonInvalid, "k1s.Register is not called: call it in an init function")
	}
	return r.plugin, r.err
}
