// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// hostFunctions returns the implementations of all imports of the ABI.
func hostFunctions() map[string]api.GoModuleFunction {
	type ctxHost = plugin.Host
	return map[string]api.GoModuleFunction{
		abi.FuncGet: answer(abi.FuncGet, func(ctx context.Context, h ctxHost, r abi.ObjectKey) ([]byte, error) {
			return h.Get(ctx, r)
		}),
		abi.FuncList: answer(abi.FuncList, func(ctx context.Context, h ctxHost, r abi.ListRequest) ([]byte, error) {
			return h.List(ctx, r)
		}),
		abi.FuncCreate: answer(abi.FuncCreate, func(ctx context.Context, h ctxHost, r abi.WriteRequest) ([]byte, error) {
			return h.Create(ctx, r)
		}),
		abi.FuncUpdate: answer(abi.FuncUpdate, func(ctx context.Context, h ctxHost, r abi.WriteRequest) ([]byte, error) {
			return h.Update(ctx, r)
		}),
		abi.FuncUpdateStatus: answer(abi.FuncUpdateStatus, func(ctx context.Context, h ctxHost, r abi.WriteRequest) ([]byte, error) {
			return h.UpdateStatus(ctx, r)
		}),
		abi.FuncPatch: answer(abi.FuncPatch, func(ctx context.Context, h ctxHost, r abi.PatchRequest) ([]byte, error) {
			return h.Patch(ctx, r)
		}),
		abi.FuncPatchStatus: answer(abi.FuncPatchStatus, func(ctx context.Context, h ctxHost, r abi.PatchRequest) ([]byte, error) {
			return h.PatchStatus(ctx, r)
		}),
		abi.FuncApply: answer(abi.FuncApply, func(ctx context.Context, h ctxHost, r abi.ApplyRequest) ([]byte, error) {
			return h.Apply(ctx, r)
		}),
		abi.FuncDelete: answer(abi.FuncDelete, func(ctx context.Context, h ctxHost, r abi.DeleteRequest) ([]byte, error) {
			return nil, h.Delete(ctx, r)
		}),
		abi.FuncEvent: answer(abi.FuncEvent, func(ctx context.Context, h ctxHost, r abi.EventRequest) ([]byte, error) {
			return nil, h.Event(ctx, r)
		}),
		abi.FuncHTTPRequest: answer(abi.FuncHTTPRequest, func(ctx context.Context, h ctxHost, r abi.HTTPRequest) ([]byte, error) {
			return h.HTTP(ctx, r)
		}),
		abi.FuncLog:    api.GoModuleFunc(hostLog),
		abi.FuncNow:    api.GoModuleFunc(hostNow),
		abi.FuncRandom: api.GoModuleFunc(hostRandom),
	}
}

// instantiateHost creates the module from which guests import. All guests share it: a host function finds its instance
// in the context.
func instantiateHost(ctx context.Context, runtime wazero.Runtime) error {
	builder := runtime.NewHostModuleBuilder(abi.ImportModule)
	signatures := abi.Imports()
	for name, fn := range hostFunctions() {
		sig := signatures[name]
		builder.NewFunctionBuilder().
			WithGoModuleFunction(fn, valueTypes(sig.Params), valueTypes(sig.Results)).
			WithName(name).
			Export(name)
	}
	_, err := builder.Instantiate(ctx)
	return err
}

func valueTypes(types []abi.ValueType) []api.ValueType {
	out := make([]api.ValueType, len(types))
	for i, t := range types {
		out[i] = api.ValueType(t)
	}
	return out
}
