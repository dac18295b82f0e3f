// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"runtime"
	"time"

	"github.com/tetratelabs/wazero/sys"
)

// The clocks that there are.
const (
	clockRealtime  = 0
	clockMonotonic = 1
)

// resolution is that of both clocks in nanoseconds, a safe guess for every platform.
const resolution = 1000

// epoch is what the monotonic clock counts from.
var epoch = time.Now()

// noStrings is args_sizes_get(count, size) and environ_sizes_get(count, size): there are none.
func noStrings(c *call) errno {
	if !c.memory().WriteUint32Le(c.u32(0), 0) || !c.memory().WriteUint32Le(c.u32(1), 0) {
		return fault
	}
	return success
}

// clockRes is clock_res_get(id, result).
func clockRes(c *call) errno {
	if c.u32(0) > clockMonotonic {
		return inval
	}
	if !c.memory().WriteUint64Le(c.u32(1), resolution) {
		return fault
	}
	return success
}

// clockTime is clock_time_get(id, precision, result).
func clockTime(c *call) errno {
	var now int64
	switch c.u32(0) {
	case clockRealtime:
		now = time.Now().UnixNano()
	case clockMonotonic:
		now = time.Since(epoch).Nanoseconds()
	default:
		return inval
	}
	if !c.memory().WriteUint64Le(c.u32(2), uint64(now)) {
		return fault
	}
	return success
}

// random is random_get(buffer, length).
func random(c *call) errno {
	buffer, ok := c.memory().Read(c.u32(0), c.u32(1))
	if !ok {
		return fault
	}
	for piece := range chunks(c, buffer) {
		c.Random(piece)
	}
	return success
}

// yield is sched_yield().
func yield(*call) errno {
	runtime.Gosched()
	return success
}

// exit is proc_exit(code). It does not return.
func exit(c *call) errno {
	code := c.u32(0)
	_ = c.module.CloseWithExitCode(c.ctx, code) // no call finds the guest alive any more
	panic(sys.NewExitError(code))
}
