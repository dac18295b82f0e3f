// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// LimitsOf returns the limits in spec.runtime of a plugin in a namespace.
func LimitsOf(rt pluginsv1alpha1.Runtime, namespace string) plugin.Limits {
	rt = rt.WithDefaults()
	return plugin.Limits{
		Namespace:      namespace,
		MinMemoryPages: uint32(rt.MemoryPages),
		Fuel:           uint64(rt.Fuel),
		InstancePolicy: rt.InstancePolicy,
		MaxMemoryPages: uint32(rt.MaxMemoryPages),
		CallTimeout:    time.Duration(rt.TimeoutSeconds) * time.Second,
		MaxInstances:   int(rt.MaxInstances),
		IdleTimeout:    time.Duration(*rt.IdleSeconds) * time.Second,
	}
}

// Ceilings are the operator's limits on the specs of WasmPlugins. Zero means no limit.
type Ceilings struct {
	// MaxMemoryPages limits spec.runtime.maxMemoryPages and memoryPages, in pages of 64 KiB.
	MaxMemoryPages int
	// MaxInstances limits spec.runtime.maxInstances.
	MaxInstances int
	// MaxTimeout limits spec.runtime.timeoutSeconds.
	MaxTimeout time.Duration
	// MaxNamespacePlugins limits how many plugins of one namespace are loaded.
	MaxNamespacePlugins int
}

// ceiling is one of the Ceilings, applied to a field of spec.runtime.
type ceiling struct {
	field, flag string
	most        int
	value       *int32
	// fallback is the default of the field. A value equal to it counts as unset: it is lowered to the ceiling, and not
	// rejected.
	fallback int32
}

// Runtime returns spec.runtime with its defaults, within the ceilings. The error is a *plugin.LoadError.
func (c Ceilings) Runtime(rt pluginsv1alpha1.Runtime) (pluginsv1alpha1.Runtime, error) {
	rt = rt.WithDefaults()
	standard := pluginsv1alpha1.Runtime{}.WithDefaults()
	for _, x := range []ceiling{
		{"maxMemoryPages", "--max-memory-pages", c.MaxMemoryPages, &rt.MaxMemoryPages, standard.MaxMemoryPages},
		{"memoryPages", "--max-memory-pages", c.MaxMemoryPages, &rt.MemoryPages, 0},
		{"maxInstances", "--max-instances", c.MaxInstances, &rt.MaxInstances, standard.MaxInstances},
		{"timeoutSeconds", "--max-timeout", int(c.MaxTimeout / time.Second), &rt.TimeoutSeconds, standard.TimeoutSeconds},
	} {
		switch {
		case x.most == 0 || int(*x.value) <= x.most:
		case *x.value == x.fallback:
			*x.value = int32(x.most)
		default:
			return rt, plugin.Reject(pluginsv1alpha1.ReasonLimitExceeded,
				"spec.runtime.%s is %d, above the %d that the operator's flag %s allows: lower it, or ask the administrator for a higher limit",
				x.field, *x.value, x.most, x.flag)
		}
	}
	return rt, nil
}
