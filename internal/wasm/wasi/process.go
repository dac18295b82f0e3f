// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"runtime"
	"time"

	"github.com/tetratelabs/wazero/sys"
)

// Clocks that are supported.
const (
	clockRealtime  = 0
	clockMonotonic = 1
)

// resolution is the resolution of both clocks in nanoseconds, a safe value for every platform.
const resolution = 1000

// epoch is the start of the monotonic clock.
var epoch = time.Now()

// noStrings implements args_sizes_get(count, size) and environ_sizes_get(count, size). There are no strings.
func noStrings(c *call) errno {
	if !c.memory().WriteUint32Le(c.u32(0), 0) || !c.memory().WriteUint32Le(c.u32(1), 0) {
		return fault
	}
	return success
}

// clockRes implements clock_res_get(id, result).
func clockRes(c *call) errno {
	if c.u32(0) > clockMonotonic {
		return inval
	}
	if !c.memory().WriteUint64Le(c.u32(1), resolution) {
		return fault
	}
	return success
}

// clockTime implements clock_time_get(id, precision, result).
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

// random implements random_get(buffer, length).
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

// yield implements sched_yield().
func yield(*call) errno {
	runtime.Gosched()
	return success
}

// exit implements proc_exit(code). It does not return.
func exit(c *call) errno {
	code := c.u32(0)
	_ = c.module.CloseWithExitCode(c.ctx, code) // later calls fail
	panic(sys.NewExitError(code))
}
