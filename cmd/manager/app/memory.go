// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
)

const (
	// pluginShare is the share of the container's memory for the linear memory of plugins, unless a flag sets it.
	pluginShare = 0.5
	// heapShare is the share for the operator's own heap, as a soft limit. The rest is for the processes that compile
	// modules, which the kernel kills first, and for memory outside of the heap.
	heapShare = 0.4
)

// FitContainer divides the memory limit of the container, if it has one, between plugins and the operator's own heap.
// It does not change a share that is set by GOMEMLIMIT or --max-plugin-memory.
func FitContainer(o *Options, log logr.Logger) {
	most, err := memlimit.FromCgroup()
	if err != nil || most == 0 {
		log.V(1).Info("The container has no memory limit")
		return
	}
	if o.Limits.PluginMemory.IsZero() {
		o.Limits.PluginMemory = bytes(int64(float64(most) * pluginShare))
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(float64(most) * heapShare))
	}
	log.Info("The container's memory is divided", "limit", most, "plugins", o.Limits.PluginMemory.Value(), "heap", debug.SetMemoryLimit(-1))
}
