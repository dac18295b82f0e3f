// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/k1s-io/k1s/internal/wasm/meter"
)

var errStack = errors.New("stack overflow")

// host runs modules unmetered, or metered like an engine.
type host struct {
	t       testing.TB
	runtime wazero.Runtime
	metered bool
	options meter.Options
	// grant is the fuel that yield returns. after, if it is set, is called by yield.
	grant int64
	stack int64
	after func(fuel int64)
	// yields counts the calls of yield.
	yields int
}

const (
	grant      = 1 << 20
	stackBytes = 1 << 20
)

func newHost(t testing.TB, config wazero.RuntimeConfig) *host {
	t.Helper()
	ctx := context.Background()
	h := &host{t: t, runtime: wazero.NewRuntimeWithConfig(ctx, config), grant: grant, stack: stackBytes}
	t.Cleanup(func() { _ = h.runtime.Close(ctx) })
	_, err := h.runtime.NewHostModuleBuilder(meter.ImportModule).NewFunctionBuilder().
		WithGoFunction(api.GoFunc(h.yield), []api.ValueType{api.ValueTypeI64, api.ValueTypeI64}, []api.ValueType{api.ValueTypeI64}).
		Export(meter.ImportYield).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *host) yield(_ context.Context, values []uint64) {
	h.yields++
	fuel, stack := int64(values[0]), int64(values[1])
	if stack < h.floor() {
		panic(errStack)
	}
	if h.after != nil {
		h.after(fuel)
	}
	if fuel < 0 {
		fuel = h.grant
	}
	values[0] = uint64(fuel)
}

// floor returns the end of the stack. With KeepData the start section runs before the host can set ExportStack.
func (h *host) floor() int64 {
	if h.options.KeepData {
		return -h.stack
	}
	return 0
}

// instantiate instantiates a module. Like an engine, it writes the data and calls the start function of a metered
// module.
func (h *host) instantiate(module []byte, name string) (api.Module, error) {
	ctx := context.Background()
	config := wazero.NewModuleConfig().WithName(name).WithStartFunctions()
	if !h.metered {
		return h.runtime.InstantiateWithConfig(ctx, module, config)
	}
	out, err := meter.Rewrite(module, h.options)
	if err != nil {
		return nil, err
	}
	mod, err := h.runtime.InstantiateWithConfig(ctx, out.Module, config)
	if err != nil {
		return nil, err
	}
	if h.options.KeepData {
		return mod, nil
	}
	setGlobal(mod, meter.ExportFuel, h.grant)
	setGlobal(mod, meter.ExportStack, h.stack)
	for _, d := range out.Data {
		if !mod.Memory().Write(d.Offset, d.Bytes) {
			return nil, errors.New("wasm error: out of bounds memory access")
		}
	}
	if out.HasStart {
		if _, err := mod.ExportedFunction(meter.ExportStart).Call(ctx); err != nil {
			return nil, fmt.Errorf("start: %w", err)
		}
	}
	return mod, nil
}

func setGlobal(mod api.Module, name string, v int64) {
	mod.ExportedGlobal(name).(api.MutableGlobal).Set(uint64(v))
}

func getGlobal(mod api.Module, name string) int64 {
	return int64(mod.ExportedGlobal(name).Get())
}
