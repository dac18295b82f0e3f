// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/tetratelabs/wazero/api"
	"golang.org/x/time/rate"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// shutdownTimeout limits k1s_shutdown, whose result is not used.
const shutdownTimeout = time.Second

// instance is one instance of a module. It is used by one caller at a time.
type instance struct {
	module api.Module
	// memory is the memory of module.
	memory *linearMemory
	// functions caches the exports that were called so far: every look-up in wazero allocates a stack.
	functions map[string]api.Function
	// globals are the module's mutable globals, in the order of its artifact.
	globals []api.MutableGlobal
	// from is the image that the instance was restored from, or nil.
	from *image
	tank tank
	turn turn
	// host is what the guest can reach during this call. It is nil outside the export of a capability.
	host plugin.Host
	log  logr.Logger
	// redact removes secrets from the output of the guest. It may be nil.
	redact *plugin.Redactor
	// stdout and stderr are the output of the guest. They share quota with k1s_log.
	stdout, stderr *output
	quota          *quota
	// starting is true while the start function of the module runs. No export may be called before it returns.
	starting bool
	// allocating is true while k1s_alloc runs. k1s_alloc must not call a host function that replies.
	allocating bool
	// running is the context of the current call.
	running *callContext
	// closed is called once, when the instance is closed.
	closed func()
	stack  [3]uint64
}

func newInstance(log logr.Logger, redact *plugin.Redactor, limiter *rate.Limiter) *instance {
	q := &quota{log: log, limiter: limiter}
	in := &instance{log: log, redact: redact, quota: q, functions: make(map[string]api.Function, 2)}
	in.stdout, in.stderr = newOutput(in, "stdout"), newOutput(in, "stderr")
	return in
}

// MustContinue stops a guest whose time has run out. Every host function calls it, and slow ones call it repeatedly,
// because host functions are not metered.
func (in *instance) MustContinue() {
	if in.running.Err() != nil {
		panic(timeout(in.running))
	}
}

// Charge takes fuel for bytes that a host function moves, at the rate of the guest's own bulk instructions.
func (in *instance) Charge(bytes int) {
	in.tank.fuel.Set(in.tank.fuel.Get() - uint64(bytes)>>meter.BulkShift)
}

// without runs a function that blocks. While it blocks, the guest does not run and does not hold a turn.
func (in *instance) without(ctx context.Context, waits func()) {
	start := time.Now()
	in.turn.without(ctx, waits)
	in.tank.since = in.tank.since.Add(time.Since(start))
}

// function returns an exported function, or nil.
func (in *instance) function(name string) api.Function {
	fn, ok := in.functions[name]
	if !ok {
		fn = in.module.ExportedFunction(name)
		in.functions[name] = fn
	}
	return fn
}

// enter starts a call into the guest. The caller must call end on the returned context.
func (in *instance) enter(parent, closed context.Context, most time.Duration, fuel uint64) *callContext {
	return in.enterFor(parent, closed, limit{most, errTooLong}, fuel)
}

// enterFor is enter with a limit that has its own cause.
func (in *instance) enterFor(parent, closed context.Context, l limit, fuel uint64) *callContext {
	in.finish()
	if in.memory != nil {
		in.memory.denied = nil
	}
	in.running = newCallContext(parent, closed, in, l)
	if in.module != nil {
		in.tank.fill(fuel, in.running.start)
	}
	return in.running
}

// finish logs the remaining output of the call that has ended.
func (in *instance) finish() {
	in.stdout.reset()
	in.stderr.reset()
	in.quota.reset()
}

// call calls an export that replies with bytes. The input is passed only to exports that take one. Errors are
// *plugin.CallError.
func (in *instance) call(ctx *callContext, export string, input []byte) ([]byte, error) {
	fn := in.function(export)
	if fn == nil {
		return nil, &plugin.CallError{Kind: plugin.KindViolation, Export: export, Err: fmt.Errorf("the module has no export %q", export)}
	}
	if takesInput(export) {
		ptr, err := in.place(ctx, input)
		if err != nil {
			return nil, in.explain(export, err)
		}
		in.stack[0], in.stack[1] = uint64(ptr), uint64(len(input))
	}
	if err := fn.CallWithStack(ctx, in.stack[:]); err != nil {
		return nil, in.explain(export, err)
	}
	return in.result(export, abi.Reply(in.stack[0]))
}

// takesInput reports whether an export has the parameters of a payload. All exports that reply have them, except two.
func takesInput(export string) bool {
	return export != abi.ExportMetadata && export != abi.ExportHealth
}

// run calls an export without parameters and results, if the module has it.
func (in *instance) run(ctx *callContext, export string) error {
	return in.runAs(ctx, export, export)
}

// runAs is run with a different name for errors.
func (in *instance) runAs(ctx *callContext, export, name string) error {
	fn := in.function(export)
	if fn == nil {
		return nil
	}
	if err := fn.CallWithStack(ctx, nil); err != nil {
		return in.explain(name, err)
	}
	return nil
}

// result copies the reply of an export out of the guest's memory.
func (in *instance) result(export string, reply abi.Reply) ([]byte, error) {
	if reply.Len() == 0 && !reply.IsError() {
		return nil, nil
	}
	view, err := view(in.module, reply.Ptr(), reply.Len())
	if err != nil {
		return nil, &plugin.CallError{Kind: plugin.KindViolation, Export: export, Err: fmt.Errorf("reply: %w", err)}
	}
	if reply.IsError() {
		return nil, in.guestError(export, view)
	}
	bytes := make([]byte, len(view))
	if err := in.copy(bytes, view); err != nil {
		return nil, in.explain(export, err)
	}
	return bytes, nil
}

// copyChunk is how many bytes are copied between two checks of the deadline, because a copy cannot be preempted.
const copyChunk = 1 << 20

// copy copies bytes into or out of the guest's memory. It stops with an error when the time of the call has run out.
func (in *instance) copy(to, from []byte) error {
	for len(from) > 0 {
		if in.running.Err() != nil {
			return timeout(in.running)
		}
		n := copy(to, from[:min(len(from), copyChunk)])
		to, from = to[n:], from[n:]
	}
	return nil
}

// place copies bytes into a buffer that the guest allocates, and returns its address.
func (in *instance) place(ctx context.Context, bytes []byte) (uint32, error) {
	if len(bytes) == 0 {
		return 0, nil
	}
	if len(bytes) > abi.MaxPayload {
		return 0, violation("a payload of %d bytes is larger than the %d allowed", len(bytes), abi.MaxPayload)
	}
	var stack [1]uint64
	stack[0] = uint64(len(bytes))
	in.allocating = true
	err := in.function(abi.ExportAlloc).CallWithStack(ctx, stack[:])
	in.allocating = false
	if err != nil {
		return 0, err
	}
	ptr := uint32(stack[0])
	if ptr == 0 {
		return 0, violation("%s(%d) returned 0: the guest is out of memory", abi.ExportAlloc, len(bytes))
	}
	buffer, ok := in.module.Memory().Read(ptr, uint32(len(bytes)))
	if !ok {
		return 0, violation("%s(%d) returned %d, which is outside the memory of %d bytes",
			abi.ExportAlloc, len(bytes), ptr, in.module.Memory().Size())
	}
	return ptr, in.copy(buffer, bytes)
}

// shutdown notifies a healthy instance that it is about to be closed.
func (in *instance) shutdown() {
	ctx := in.enter(context.Background(), nil, shutdownTimeout, 0)
	defer ctx.end()
	if err := in.run(ctx, abi.ExportShutdown); err != nil {
		in.log.V(1).Info("Plugin failed to shut down", "error", err.Error())
	}
}

// close releases the instance.
func (in *instance) close(ctx context.Context) {
	in.finish()
	if in.module != nil {
		_ = in.module.Close(ctx) // it only frees memory
	}
	if in.closed != nil {
		in.closed()
		in.closed = nil
	}
}

// view returns bytes of the guest's memory. They are valid until the guest runs again.
func view(module api.Module, ptr, length uint32) ([]byte, error) {
	if length > abi.MaxPayload {
		return nil, fmt.Errorf("%d bytes at %d: more than the %d allowed", length, ptr, abi.MaxPayload)
	}
	bytes, ok := module.Memory().Read(ptr, length)
	if !ok {
		return nil, fmt.Errorf("%d bytes at %d: outside the memory of %d bytes", length, ptr, module.Memory().Size())
	}
	return bytes, nil
}
