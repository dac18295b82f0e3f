// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
)

// Runner runs the exports of one revision. It is safe for concurrent use. The engine implements it, decorators wrap it,
// and a Slot replaces one revision by another behind it.
type Runner interface {
	// Call calls one export and returns the bytes of its reply, or nil for the empty reply. An error is a *CallError or
	// ErrNoRevision.
	Call(ctx context.Context, call Call) ([]byte, error)
	// Close releases all resources. It aborts the calls that are running. Later calls fail.
	Close(ctx context.Context) error
}

// Call is one call of an export whose input and reply are bytes.
type Call struct {
	// Export is the name of the export, such as "reconcile".
	Export string
	// Input is the payload. It may be empty.
	Input []byte
	// Accept, if set, validates the reply before the call counts as successful. If it returns an error, the call fails
	// with KindViolation, like other violations of the ABI. It may be called more than once.
	Accept func(reply []byte) error
	// Object is the object that the call is about, for tracing and batching. It may be empty.
	Object abi.ObjectKey
	// Attempt is 1 for the first attempt, and 0 where attempts are not counted.
	Attempt int
	// Timeout limits the duration of the call by wall clock, if it is shorter than the limit for all calls. If it is 0,
	// only that limit applies. Exceeding it is a fault of the module, unlike the end of the context.
	Timeout time.Duration
}

// ExportSet is the set of names of the functions that a module exports.
type ExportSet map[string]bool

// Has reports whether the module exports a function of that name.
func (s ExportSet) Has(name string) bool { return s[name] }

// LoadRequest describes a revision to load.
type LoadRequest struct {
	// Name is "namespace/name" of the plugin. It is used in logs.
	Name   string
	Module Module
	// Settings is a JSON object that is passed to k1s_initialize.
	Settings json.RawMessage
	// Redact redacts the secrets of the settings in the guest's logs and errors. It may be nil.
	Redact *Redactor
	Limits Limits
	// NoSnapshot makes every instance run its own initialization.
	NoSnapshot bool
	// Host provides the host functions for the exports of the reconciling capabilities.
	Host Host
	// Reader provides the host functions for the exports that handle admission requests. See InAdmission.
	Reader Host
}

// Limits limit the resources of one revision. All must be greater than zero, except Namespace, MinMemoryPages, Fuel and
// IdleTimeout.
type Limits struct {
	// Namespace is the namespace whose memory quota is charged.
	Namespace string
	// MinMemoryPages and MaxMemoryPages are in pages of 64 KiB.
	MinMemoryPages, MaxMemoryPages uint32
	// CallTimeout limits the duration of one call by wall clock.
	CallTimeout time.Duration
	// Fuel limits the number of instructions of one call. If it is 0, only CallTimeout limits a call.
	Fuel uint64
	// InstancePolicy decides whether calls share instances. Empty means Pooled.
	InstancePolicy InstancePolicy
	// MaxInstances is the maximum number of concurrent calls.
	MaxInstances int
	// IdleTimeout is how long an idle instance is kept. If it is 0, the instance is released after each call.
	IdleTimeout time.Duration
}

// InstancePolicy decides which instance serves a call.
type InstancePolicy = pluginsv1alpha1.InstancePolicy

// The instance policies.
const (
	InstancePooled  = pluginsv1alpha1.InstancePolicyPooled
	InstancePerCall = pluginsv1alpha1.InstancePolicyPerCall
)

// LoadInfo describes how a revision was loaded.
type LoadInfo struct {
	// Compile is the time it took to compile the module and to create the first instance.
	Compile time.Duration
	// Cached means that the module was not compiled, because another revision uses the code or the code was cached.
	Cached bool
	// Exports are the functions that the module exports. They are data and not a method, because a Runner may be
	// wrapped any number of times.
	Exports ExportSet
}

// Host provides the host functions of a guest. It is bound to the identity and limits of one plugin, and is safe for
// concurrent use. Replies are objects in JSON. Errors carry a Kubernetes Status.
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
	// HTTP sends a request to a URL that the spec allows. The reply is an abi.HTTPResponse.
	HTTP(ctx context.Context, req abi.HTTPRequest) ([]byte, error)
}

// Reconcile calls the reconcile export. An empty reply is the zero result.
func Reconcile(ctx context.Context, runner Runner, req abi.ReconcileRequest) (abi.ReconcileResult, error) {
	return reconcile(ctx, runner, abi.ExportReconcile, req)
}

// Finalize calls the finalize export. The guest has finalized the object unless the result asks for another call.
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
	if err := accept(reply); err != nil { // not every Runner calls Accept
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
