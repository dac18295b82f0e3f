// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
)

// Runner runs the exports of one revision. It is safe for concurrent use. The engine implements it,
// decorators wrap it, Slot puts one revision in another's place behind it.
type Runner interface {
	// Call runs one export and returns its reply's bytes (nil for the empty reply). Errors are
	// *CallError, or ErrNoRevision.
	Call(ctx context.Context, call Call) ([]byte, error)
	// Close releases everything. Calls under way are cut off, later ones fail.
	Close(ctx context.Context) error
}

// Call is one call of an export that takes and returns bytes.
type Call struct {
	// Export is the name of the export, such as "reconcile".
	Export string
	// Input is the payload; empty means none.
	Input []byte
	// Accept, if it is set, looks at the reply before the call counts as answered: its error makes the
	// call fail with KindViolation, as other breaches of the ABI do. It may be called more than once.
	Accept func(reply []byte) error
	// Object is what the call is about, for who follows or joins calls; it may be empty.
	Object abi.ObjectKey
	// Attempt is 1 for the first try of what the call is for, and 0 where tries are not counted.
	Attempt int
	// Timeout bounds the call by wall clock, if it is less than what bounds all calls; 0 leaves it to that. To take
	// longer is a fault of the module's, other than an end of the context.
	Timeout time.Duration
}

// ExportSet holds the names of the functions that a module exports.
type ExportSet map[string]bool

// Has reports whether the module exports a function of that name.
func (s ExportSet) Has(name string) bool { return s[name] }

// LoadRequest is what makes a revision.
type LoadRequest struct {
	// Name is "namespace/name" of the plugin, for logs.
	Name   string
	Module Module
	// Settings are handed to k1s_initialize: a JSON object.
	Settings json.RawMessage
	// Redact takes secrets in the settings out of what the guest logs and of its errors; it may be nil.
	Redact *Redactor
	Limits Limits
	// NoSnapshot makes every instance run its own initialization.
	NoSnapshot bool
	// Host is what the guest reaches in the export of a capability.
	Host Host
	// Reader is what it reaches in those that hold up a request to the API server; see InAdmission.
	Reader Host
}

// Limits bound one revision. All must be above zero, but Namespace, MinMemoryPages, Fuel and IdleTimeout.
type Limits struct {
	// Namespace is what the memory is accounted to.
	Namespace string
	// MinMemoryPages and MaxMemoryPages are in pages of 64 KiB.
	MinMemoryPages, MaxMemoryPages uint32
	// CallTimeout bounds one call by wall clock.
	CallTimeout time.Duration
	// Fuel bounds one call by the instructions it runs; 0 leaves that to CallTimeout alone.
	Fuel uint64
	// InstancePolicy says what state a call may find; empty means Pooled.
	InstancePolicy InstancePolicy
	// MaxInstances is how many calls run at once.
	MaxInstances int
	// IdleTimeout is how long an unused instance is kept; 0 releases it after each call.
	IdleTimeout time.Duration
}

// InstancePolicy says which instance a call gets.
type InstancePolicy = pluginsv1alpha1.InstancePolicy

// The instance policies.
const (
	InstancePooled  = pluginsv1alpha1.InstancePolicyPooled
	InstancePerCall = pluginsv1alpha1.InstancePolicyPerCall
)

// LoadInfo tells how loading went.
type LoadInfo struct {
	// Compile is how long compiling and making the first instance took.
	Compile time.Duration
	// Cached says that the code did not have to be compiled: another revision used it, or it was kept
	// from before.
	Cached bool
	// Exports are the module's. They are a fact about its bytes, so they travel as data: a Runner may be wrapped
	// any number of times.
	Exports ExportSet
}

// Host is the cluster as a guest sees it: bound to one plugin's identity and limits, safe for
// concurrent use. Replies are JSON of objects; errors carry a Kubernetes Status.
type Host interface {
	Get(ctx context.Context, req abi.ObjectKey) ([]byte, error)
	List(ctx context.Context, req abi.ListRequest) ([]byte, error)
	Create(ctx context.Context, req abi.WriteRequest) ([]byte, error)
	Update(ctx context.Context, req abi.WriteRequest) ([]byte, error)
	UpdateStatus(ctx context.Context, req abi.WriteRequest) ([]byte, error)
	Patch(ctx context.Context, req abi.PatchRequest) ([]byte, error)
	PatchStatus(ctx context.Context, req abi.PatchRequest) ([]byte, error)
	Apply(ctx context.Context, req abi.ApplyRequest) ([]byte, error)
	Delete(ctx context.Context, req abi.DeleteRequest) error
	Event(ctx context.Context, req abi.EventRequest) error
	// HTTP makes a request to where the spec allows it; the reply is an abi.HTTPResponse.
	HTTP(ctx context.Context, req abi.HTTPRequest) ([]byte, error)
}

// Reconcile runs the reconcile export. An empty reply is the zero result.
func Reconcile(ctx context.Context, runner Runner, req abi.ReconcileRequest) (abi.ReconcileResult, error) {
	return reconcile(ctx, runner, abi.ExportReconcile, req)
}

// Finalize runs the finalize export, which is done with the object unless it asks to be called again.
func Finalize(ctx context.Context, runner Runner, req abi.ReconcileRequest) (abi.ReconcileResult, error) {
	return reconcile(ctx, runner, abi.ExportFinalize, req)
}

func reconcile(ctx context.Context, runner Runner, export string, req abi.ReconcileRequest) (abi.ReconcileResult, error) {
	input, err := abi.AppendReconcileRequest(nil, req)
	if err != nil {
		return abi.ReconcileResult{}, &CallError{Kind: KindInput, Export: export, Err: err}
	}
	var result abi.ReconcileResult
	accepted := false
	accept := func(reply []byte) (err error) {
		result, err = parseReconcileResult(reply)
		accepted = err == nil
		return err
	}
	reply, err := runner.Call(ctx, Call{
		Export: export, Input: input, Accept: accept, Object: req.ObjectKey, Attempt: req.Attempt,
	})
	if err != nil {
		return abi.ReconcileResult{}, err
	}
	if accepted {
		return result, nil
	}
	if err := accept(reply); err != nil { // not every runner asks
		return abi.ReconcileResult{}, &CallError{Kind: KindViolation, Export: export, Err: err}
	}
	return result, nil
}

func parseReconcileResult(reply []byte) (result abi.ReconcileResult, err error) {
	if len(reply) == 0 {
		return result, nil
	}
	if err := abi.Decode(reply, &result); err != nil {
		return abi.ReconcileResult{}, err
	}
	if err := result.Check(); err != nil {
		return abi.ReconcileResult{}, err
	}
	return result, nil
}
