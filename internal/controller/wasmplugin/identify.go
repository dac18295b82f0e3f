// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// WithoutRBAC lets the plugins of the plugin directory act as the operator itself.
type WithoutRBAC struct {
	// Namespace is the operator's own, which contains the WasmPlugins of its plugin directory.
	Namespace string
	Directory interface {
		// Defines reports whether the directory defines a WasmPlugin exactly as it is.
		Defines(wp *pluginsv1alpha1.WasmPlugin) (bool, error)
	}
	Operator interface {
		// Username returns the operator's user name at the API server.
		Username(ctx context.Context) (string, error)
	}
}

// identify determines who the plugin acts as: its ServiceAccount, or the operator itself. The label does not decide
// that, because everybody who can create WasmPlugins in the operator's namespace can set it. The directory decides,
// because only whoever runs the operator can write to it: a plugin that it defines word for word is allowed to run,
// whoever created the WasmPlugin.
type identify struct {
	// withoutRBAC is nil if every plugin acts as its ServiceAccount.
	withoutRBAC *WithoutRBAC
}

func (i identify) run(ctx context.Context, l *load) *problem {
	if i.withoutRBAC == nil || l.name.Namespace != i.withoutRBAC.Namespace || l.plugin.Labels[pluginsv1alpha1.LabelDirectory] == "" {
		return nil
	}
	defined, err := i.withoutRBAC.Directory.Defines(l.plugin)
	if err == nil && !defined {
		// The WasmPlugin is about to be updated or deleted. To run it as its ServiceAccount until then would be of no
		// use.
		err = plugin.Reject(pluginsv1alpha1.ReasonNotAsInDirectory,
			"the plugin directory does not define this plugin as its spec is; the operator brings them in line: change the files, or remove the label %q",
			pluginsv1alpha1.LabelDirectory)
	}
	if err == nil {
		l.plan.Identity.Operator, err = i.withoutRBAC.Operator.Username(ctx)
	}
	if err != nil {
		return reviewProblem(err)
	}
	return nil
}
