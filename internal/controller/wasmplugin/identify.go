// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/log"

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
func (r *Reconciler) identify(ctx context.Context, l *load) *problem {
	if r.WithoutRBAC == nil || l.name.Namespace != r.WithoutRBAC.Namespace || l.plugin.Labels[pluginsv1alpha1.LabelDirectory] == "" {
		return nil
	}
	defined, err := r.WithoutRBAC.Directory.Defines(l.plugin)
	if err == nil && !defined {
		// The WasmPlugin is about to be updated or deleted. To run it as its ServiceAccount until then would be of no
		// use.
		err = plugin.Reject(pluginsv1alpha1.ReasonNotAsInDirectory,
			"the plugin directory does not define this plugin as its spec is; the operator brings them in line: change the files, or remove the label %q",
			pluginsv1alpha1.LabelDirectory)
	}
	if err == nil {
		l.plan.identity.Operator, err = r.WithoutRBAC.Operator.Username(ctx)
	}
	if err != nil {
		p := problemOf(pluginsv1alpha1.ConditionAuthorized, err)
		if p.reason == pluginsv1alpha1.ReasonSourceUnavailable {
			p.reason = pluginsv1alpha1.ReasonReviewFailed
		}
		return p
	}
	return nil
}

// authorized sets the condition Authorized, with the reason why the plugin has its permissions.
func (l *load) authorized() {
	id := l.plan.identity
	if id.Operator == "" {
		l.conditions.True(pluginsv1alpha1.ConditionAuthorized, pluginsv1alpha1.ReasonSucceeded,
			fmt.Sprintf("ServiceAccount %q may %s %s", id.ServiceAccount, l.plan.describe(), l.plan.types()))
		return
	}
	l.conditions.True(pluginsv1alpha1.ConditionAuthorized, pluginsv1alpha1.ReasonRBACDisabled, fmt.Sprintf(
		"RBAC is off for plugins of the plugin directory (--directory-plugins-without-rbac): the plugin acts as the operator itself, %q, within spec.security", id.Operator))
}

// warnWithoutRBAC logs that RBAC does not limit a revision.
func (l *load) warnWithoutRBAC(ctx context.Context) {
	if id := l.plan.identity; id.Operator != "" {
		log.FromContext(ctx).Info("Loading a plugin of the plugin directory that RBAC does not bound: it acts as the operator itself",
			"account", id.Operator, "digest", l.module.Digest.Short())
	}
}

// Unbounded returns how many plugins serve that RBAC does not limit.
func (r *Reconciler) Unbounded() int {
	return len(r.serving.names(func(x *revision) bool { return x.plan.identity.Operator != "" }))
}
