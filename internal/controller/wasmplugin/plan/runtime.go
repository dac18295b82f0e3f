// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"time"

	"k8s.io/utils/ptr"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// The defaults of spec.runtime, for objects that the API server has not defaulted: it sets no defaults inside an absent
// object.
const (
	defaultMaxMemoryPages = 1024
	defaultTimeoutSeconds = 5
	defaultMaxInstances   = 4
	defaultIdleSeconds    = 60
)

// LimitsOf returns the limits in spec.runtime of a plugin in a namespace.
func LimitsOf(rt pluginsv1alpha1.Runtime, namespace string) plugin.Limits {
	return plugin.Limits{
		Namespace:      namespace,
		MinMemoryPages: uint32(rt.MemoryPages),
		Fuel:           uint64(rt.Fuel),
		InstancePolicy: cmp.Or(rt.InstancePolicy, plugin.InstancePooled),
		MaxMemoryPages: uint32(cmp.Or(rt.MaxMemoryPages, defaultMaxMemoryPages)),
		CallTimeout:    time.Duration(cmp.Or(rt.TimeoutSeconds, defaultTimeoutSeconds)) * time.Second,
		MaxInstances:   int(cmp.Or(rt.MaxInstances, defaultMaxInstances)),
		IdleTimeout:    time.Duration(ptr.Deref(rt.IdleSeconds, defaultIdleSeconds)) * time.Second,
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
	rt.MaxMemoryPages = cmp.Or(rt.MaxMemoryPages, defaultMaxMemoryPages)
	rt.MaxInstances = cmp.Or(rt.MaxInstances, defaultMaxInstances)
	rt.TimeoutSeconds = cmp.Or(rt.TimeoutSeconds, defaultTimeoutSeconds)
	for _, x := range []ceiling{
		{"maxMemoryPages", "--max-memory-pages", c.MaxMemoryPages, &rt.MaxMemoryPages, defaultMaxMemoryPages},
		{"memoryPages", "--max-memory-pages", c.MaxMemoryPages, &rt.MemoryPages, 0},
		{"maxInstances", "--max-instances", c.MaxInstances, &rt.MaxInstances, defaultMaxInstances},
		{"timeoutSeconds", "--max-timeout", int(c.MaxTimeout / time.Second), &rt.TimeoutSeconds, defaultTimeoutSeconds},
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
