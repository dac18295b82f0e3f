// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

const (
	// maxStack is how much native call stack a guest can use, in bytes as the meter estimates them. The native stack is
	// not part of the linear memory. A Go guest needs 3 MiB for a JSON document that is nested 1,000 deep. Actual use
	// is lower than the estimate.
	maxStack = 4 << 20
	// slice is approximately how long a guest runs before it yields to others.
	slice = time.Millisecond
	// A grant is the fuel for one slice. It adapts to the speed of the guest's instructions. maxGrant is not much more
	// than what ordinary instructions need, because a guest may switch from the fastest instructions to those that wait
	// for memory, which take a hundred times as long.
	firstGrant, minGrant, maxGrant = 1 << 17, 1 << 14, 1 << 21
)

// tank is the fuel of one instance and of its current call.
type tank struct {
	fuel api.MutableGlobal
	// limit is the maximum fuel of the call, 0 means no limit. granted is the fuel that the call has received so far.
	limit, granted uint64
	// grant is the fuel for one slice, and since is the start of the current slice.
	grant uint64
	since time.Time
	// ran is the duration of the earlier slices of the call.
	ran time.Duration
}

// newTank finds the globals that the meter has added to a module, and sets the size of the stack.
func newTank(module api.Module) (tank, error) {
	fuel, ok := module.ExportedGlobal(meter.ExportFuel).(api.MutableGlobal)
	stack, also := module.ExportedGlobal(meter.ExportStack).(api.MutableGlobal)
	if !ok || !also {
		return tank{}, errors.New("the module is not metered")
	}
	stack.Set(maxStack)
	return tank{fuel: fuel, grant: firstGrant}, nil
}

// fill starts a call that can use the given fuel. 0 means no limit.
func (t *tank) fill(limit uint64, now time.Time) {
	t.limit, t.granted, t.since, t.ran = limit, 0, now, 0
	t.granted = t.next(t.grant)
	t.fuel.Set(t.granted)
}

// next returns the part of a grant that is within the limit.
func (t *tank) next(grant uint64) uint64 {
	if t.limit == 0 {
		return grant
	}
	return min(grant, t.limit-t.granted)
}

// isLong reports whether the call has run for a slice.
func (t *tank) isLong() bool { return t.ran >= slice }

// used returns the fuel that the call has used.
func (t *tank) used() uint64 {
	if t.fuel == nil {
		return 0
	}
	return uint64(max(int64(t.granted)-int64(t.fuel.Get()), 0))
}

// more grants fuel for another slice. left is the remaining fuel of the guest, which is usually negative.
func (t *tank) more(left int64) (int64, error) {
	if t.limit > 0 && t.granted >= t.limit {
		return 0, &plugin.CallError{Kind: plugin.KindFuel, Err: fmt.Errorf("the call ran more than the %d instructions of spec.runtime.fuel", t.limit)}
	}
	took := time.Since(t.since)
	t.ran += took
	switch {
	case took < slice/2:
		t.grant = min(t.grant*2, maxGrant)
	case took > slice*2:
		t.grant = max(t.grant/2, minGrant)
	}
	grant := t.grant
	// A bulk instruction may have used many slices at once.
	if left < 0 {
		grant += uint64(-left)
	}
	grant = t.next(grant)
	t.granted += grant
	return left + int64(grant), nil
}

// instantiateMeter creates the module with the function that metered code calls between slices.
func instantiateMeter(ctx context.Context, r wazero.Runtime) error {
	_, err := r.NewHostModuleBuilder(meter.ImportModule).
		NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(yield), []api.ValueType{api.ValueTypeI64, api.ValueTypeI64}, []api.ValueType{api.ValueTypeI64}).
		Export(meter.ImportYield).
		Instantiate(ctx)
	return err
}

// yield is the host function that a guest calls when its fuel or its stack is used up. It stops the guest, or returns
// its new fuel.
func yield(ctx context.Context, _ api.Module, stack []uint64) {
	left, room := int64(stack[0]), int64(stack[1])
	if room < 0 {
		panic(&plugin.CallError{Kind: plugin.KindTrap, Err: fmt.Errorf("call stack exhausted: its calls are nested beyond the %d KiB of stack they have", maxStack>>10)})
	}
	if ctx.Err() != nil {
		panic(timeout(ctx))
	}
	in := instanceFrom(ctx)
	fuel, err := in.tank.more(left)
	if err != nil {
		panic(err)
	}
	if in.tank.isLong() {
		in.turn.next(ctx)
	}
	in.tank.since = time.Now()
	stack[0] = uint64(fuel)
}
