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
	return map[string]api.GoModuleFunction{
		abi.FuncGet:          answer(abi.FuncGet, plugin.Host.Get),
		abi.FuncList:         answer(abi.FuncList, plugin.Host.List),
		abi.FuncCreate:       answer(abi.FuncCreate, plugin.Host.Create),
		abi.FuncUpdate:       answer(abi.FuncUpdate, plugin.Host.Update),
		abi.FuncUpdateStatus: answer(abi.FuncUpdateStatus, plugin.Host.UpdateStatus),
		abi.FuncPatch:        answer(abi.FuncPatch, plugin.Host.Patch),
		abi.FuncPatchStatus:  answer(abi.FuncPatchStatus, plugin.Host.PatchStatus),
		abi.FuncApply:        answer(abi.FuncApply, plugin.Host.Apply),
		abi.FuncDelete:       answer(abi.FuncDelete, withoutReply(plugin.Host.Delete)),
		abi.FuncEvent:        answer(abi.FuncEvent, withoutReply(plugin.Host.Event)),
		abi.FuncHTTPRequest:  answer(abi.FuncHTTPRequest, plugin.Host.HTTP),
		abi.FuncLog:          api.GoModuleFunc(hostLog),
		abi.FuncNow:          api.GoModuleFunc(hostNow),
		abi.FuncRandom:       api.GoModuleFunc(hostRandom),
	}
}

// withoutReply returns a method of the Host that replies nothing as one that replies bytes.
func withoutReply[T any](do func(plugin.Host, context.Context, T) error) func(plugin.Host, context.Context, T) ([]byte, error) {
	return func(host plugin.Host, ctx context.Context, req T) ([]byte, error) { return nil, do(host, ctx, req) }
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
