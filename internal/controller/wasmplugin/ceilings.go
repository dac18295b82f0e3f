// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

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

// runtime returns spec.runtime with its defaults, within the ceilings. The error is a *plugin.LoadError.
func (c Ceilings) runtime(rt pluginsv1alpha1.Runtime) (pluginsv1alpha1.Runtime, error) {
	rt.MaxMemoryPages = orDefault(rt.MaxMemoryPages, defaultMaxMemoryPages)
	rt.MaxInstances = orDefault(rt.MaxInstances, defaultMaxInstances)
	rt.TimeoutSeconds = orDefault(rt.TimeoutSeconds, defaultTimeoutSeconds)
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

// limit checks the plugin against the ceilings before its module is fetched.
func (r *Reconciler) limit(ctx context.Context, l *load) *problem {
	var err error
	if l.runtime, err = r.Ceilings.runtime(l.plugin.Spec.Runtime); err == nil {
		err = r.limitNumber(ctx, l)
	}
	if err != nil {
		return problemOf(pluginsv1alpha1.ConditionVerified, err)
	}
	return nil
}

// limitNumber rejects a plugin if its namespace has as many older plugins as are allowed.
func (r *Reconciler) limitNumber(ctx context.Context, l *load) error {
	most := r.Ceilings.MaxNamespacePlugins
	if most == 0 {
		return nil
	}
	var list pluginsv1alpha1.WasmPluginList
	if err := r.Client.List(ctx, &list, client.InNamespace(l.name.Namespace)); err != nil {
		return fmt.Errorf("list the WasmPlugins of the namespace: %w", err)
	}
	if len(list.Items) <= most {
		return nil
	}
	loaded := slices.DeleteFunc(list.Items, func(wp pluginsv1alpha1.WasmPlugin) bool {
		return wp.Spec.Suspend || !wp.DeletionTimestamp.IsZero()
	})
	slices.SortFunc(loaded, func(a, b pluginsv1alpha1.WasmPlugin) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	if slices.IndexFunc(loaded, func(wp pluginsv1alpha1.WasmPlugin) bool { return wp.Name == l.name.Name }) < most {
		return nil
	}
	return plugin.Reject(pluginsv1alpha1.ReasonLimitExceeded,
		"the namespace %q has %d plugins, more than the %d that the operator's flag --max-namespace-plugins allows, and this is one of the youngest: "+
			"delete or suspend others, or ask the administrator for a higher limit", l.name.Namespace, len(loaded), most)
}
