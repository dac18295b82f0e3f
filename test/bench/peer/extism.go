// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"
	"fmt"

	extism "github.com/extism/go-sdk"
)

// Extism is one instance of a guest of Extism without a timeout: nothing interrupts a guest that loops forever.
type Extism struct {
	// Category is the object that the guest reads from its host.
	Category []byte

	plugin *extism.Plugin
}

// NewExtism creates an instance.
func NewExtism(ctx context.Context, module, category []byte) (*Extism, error) {
	e := &Extism{Category: category}
	get := extism.NewHostFunctionWithStack("get", func(ctx context.Context, p *extism.CurrentPlugin, stack []uint64) {
		// Read the guest's request, as a real host has to.
		if _, err := p.ReadBytes(stack[0]); err != nil {
			panic(err)
		}
		at, err := p.WriteBytes(e.Category)
		if err != nil {
			panic(err)
		}
		stack[0] = at
	}, []extism.ValueType{extism.ValueTypePTR}, []extism.ValueType{extism.ValueTypePTR})
	get.SetNamespace("extism:host/user")
	manifest := extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: module}}}
	p, err := extism.NewPlugin(ctx, manifest, extism.PluginConfig{EnableWasi: true}, []extism.HostFunction{get})
	if err != nil {
		return nil, fmt.Errorf("load a guest of Extism: %w", err)
	}
	e.plugin = p
	return e, nil
}

// Reconcile implements Peer.
func (e *Extism) Reconcile(ctx context.Context, input []byte) ([]byte, error) {
	code, reply, err := e.plugin.CallWithContext(ctx, "reconcile", input)
	if err == nil && code != 0 {
		err = fmt.Errorf("the guest of Extism ended with %d", code)
	}
	return reply, err
}

// Close implements Peer.
func (e *Extism) Close() error { return e.plugin.Close(context.Background()) }
