// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
)

const (
	// pluginShare of the container's memory is the linear memory of plugins, unless a flag says otherwise.
	pluginShare = 0.5
	// heapShare is what the operator's own heap is kept below, if it can be. The rest is for the processes that compile
	// modules, which the kernel kills first, and for what is no heap.
	heapShare = 0.4
)

// FitContainer divides the memory of the container, if it has a limit, between plugins and the operator's own heap. Who
// sets GOMEMLIMIT or --max-plugin-memory decides about that part.
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
