// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
)

// limit checks the plugin against the operator's ceilings before its module is fetched.
type limit struct {
	client   client.Reader
	ceilings plan.Ceilings
}

func (c limit) run(ctx context.Context, l *load) *problem {
	var err error
	if l.runtime, err = c.ceilings.Runtime(l.plugin.Spec.Runtime); err == nil {
		err = c.number(ctx, l)
	}
	if err != nil {
		return problemOf(pluginsv1alpha1.ConditionVerified, err)
	}
	return nil
}

// number rejects a plugin if its namespace has as many older plugins as are allowed.
func (c limit) number(ctx context.Context, l *load) error {
	most := c.ceilings.MaxNamespacePlugins
	if most == 0 {
		return nil
	}
	var list pluginsv1alpha1.WasmPluginList
	if err := c.client.List(ctx, &list, client.InNamespace(l.name.Namespace)); err != nil {
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
