// SPDX-License-Identifier: Apache-2.0

// Package direct runs a guest on wazero without the engine, with only what the ABI requires. It measures the cost of a
// protection of the host against a guest, with everything else equal.
package direct

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// Protection is a way to protect the host against a guest.
type Protection string

// The protections.
const (
	// None is wazero without protection: nothing interrupts a guest that loops forever.
	None Protection = "unprotected"
	// Metered is the meter of package internal/wasm/meter.
	Metered Protection = "metered"
	// MeteredDeadline is Metered with a deadline for each call.
	MeteredDeadline Protection = "metered-with-deadline"
	// CloseOnDone is wazero's WithCloseOnContextDone, with a deadline for each call.
	CloseOnDone Protection = "close-on-context-done"
)

func (p Protection) metered() bool  { return p == Metered || p == MeteredDeadline }
func (p Protection) deadline() bool { return p == MeteredDeadline || p == CloseOnDone }

const (
	// fuel is what a metered guest gets at a time: about one millisecond of work.
	fuel = 2_000_000
	// stack is the call stack of a metered guest in bytes, more than any guest needs.
	stack = 1 << 20
	// timeout is the timeout of one call.
	timeout = 5 * time.Second
)

// Guest is one instance of a guest.
type Guest struct {
	runtime    wazero.Runtime
	module     api.Module
	alloc, run api.Function
	protection Protection
	params     [2]uint64
	answer     []byte
}

// New creates an instance. The host answers its read with answer.
func New(ctx context.Context, module []byte, protection Protection, answer []byte) (_ *Guest, err error) {
	var metered *meter.Output
	if protection.metered() {
		if metered, err = meter.Rewrite(module, meter.Options{}); err != nil {
			return nil, fmt.Errorf("meter the module: %w", err)
		}
		module = metered.Module
	}
	config := wazero.NewRuntimeConfigCompiler().WithCloseOnContextDone(protection == CloseOnDone)
	g := &Guest{runtime: wazero.NewRuntimeWithConfig(ctx, config), protection: protection, answer: answer}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, g.runtime); err != nil {
		return nil, err
	}
	if err := g.offerHost(ctx); err != nil {
		return nil, err
	}
	g.module, err = g.runtime.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().
		WithStartFunctions().WithSysWalltime().WithSysNanotime().WithRandSource(rand.Reader))
	if err != nil {
		return nil, err
	}
	if metered != nil {
		if err := g.begin(ctx, metered); err != nil {
			return nil, err
		}
	}
	if start := g.module.ExportedFunction(abi.ExportReactorInitialize); start != nil {
		if _, err := start.Call(ctx); err != nil {
			return nil, err
		}
	}
	g.alloc, g.run = g.module.ExportedFunction(abi.ExportAlloc), g.module.ExportedFunction(abi.ExportReconcile)
	return g, nil
}

// begin does what the meter requires after instantiation: it sets fuel and stack, writes the data segments and calls
// the start function.
func (g *Guest) begin(ctx context.Context, metered *meter.Output) error {
	for name, value := range map[string]uint64{meter.ExportFuel: fuel, meter.ExportStack: stack} {
		global, ok := g.module.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			return fmt.Errorf("the metered module has no global %q", name)
		}
		global.Set(value)
	}
	for _, segment := range metered.Data {
		if !g.module.Memory().Write(segment.Offset, segment.Bytes) {
			return errors.New("a data segment is outside the memory")
		}
	}
	if !metered.HasStart {
		return nil
	}
	_, err := g.module.ExportedFunction(meter.ExportStart).Call(ctx)
	return err
}

// Close closes the runtime, which frees the instance.
func (g *Guest) Close() error { return g.runtime.Close(context.Background()) }

// offerHost defines the host modules that the guests import.
func (g *Guest) offerHost(ctx context.Context) error {
	builder := g.runtime.NewHostModuleBuilder(abi.ImportModule)
	for name, signature := range abi.Imports() {
		f := func(context.Context, api.Module, []uint64) { panic("the guest called " + name) }
		if name == abi.FuncGet {
			f = g.get
		}
		builder.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(f), types(signature.Params), types(signature.Results)).Export(name)
	}
	if _, err := builder.Instantiate(ctx); err != nil {
		return err
	}
	_, err := g.runtime.NewHostModuleBuilder(meter.ImportModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(yield), []api.ValueType{api.ValueTypeI64, api.ValueTypeI64}, []api.ValueType{api.ValueTypeI64}).
		Export(meter.ImportYield).Instantiate(ctx)
	return err
}

func types(of []abi.ValueType) []api.ValueType {
	out := make([]api.ValueType, len(of))
	for i, t := range of {
		out[i] = api.ValueType(t)
	}
	return out
}

// yield gives the guest new fuel, unless its deadline has passed.
func yield(ctx context.Context, _ api.Module, params []uint64) {
	if int64(params[1]) < 0 {
		panic("call stack overflow")
	}
	if err := ctx.Err(); err != nil {
		panic(err)
	}
	params[0] = fuel
}

// get implements k1s_client_get.
func (g *Guest) get(ctx context.Context, module api.Module, params []uint64) {
	if request, ok := module.Memory().Read(uint32(params[0]), uint32(params[1])); !ok || len(request) == 0 {
		panic("the guest's request is outside its memory")
	}
	at, err := g.place(ctx, g.answer)
	if err != nil {
		panic(err)
	}
	params[0] = at<<32 | uint64(len(g.answer))
}

// place allocates memory in the guest and writes bytes to it.
func (g *Guest) place(ctx context.Context, payload []byte) (uint64, error) {
	params := [1]uint64{uint64(len(payload))}
	if err := g.alloc.CallWithStack(ctx, params[:]); err != nil {
		return 0, err
	}
	if at := params[0]; at > 0 && at <= math.MaxUint32 && g.module.Memory().Write(uint32(at), payload) {
		return at, nil
	}
	return 0, fmt.Errorf("k1s_alloc replied %d", params[0])
}

// Reconcile calls the guest. The reply is valid until the next call.
func (g *Guest) Reconcile(ctx context.Context, input []byte) ([]byte, error) {
	if g.protection.deadline() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	at, err := g.place(ctx, input)
	if err != nil {
		return nil, err
	}
	g.params = [2]uint64{at, uint64(len(input))}
	if err := g.run.CallWithStack(ctx, g.params[:]); err != nil {
		return nil, err
	}
	reply, ok := g.module.Memory().Read(uint32(g.params[0]>>32), uint32(g.params[0]))
	if !ok {
		return nil, errors.New("the guest's reply is outside its memory")
	}
	return reply, nil
}
