// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Labels of webhook configurations.
const (
	LabelManagedBy       = "app.kubernetes.io/managed-by"
	LabelPluginNamespace = "plugins.k1s.io/plugin-namespace"
	LabelPlugin          = "plugins.k1s.io/plugin"
)

// manager is the value of LabelManagedBy, and the field manager.
const manager = "k1s"

// Kinds are the kinds of webhook configurations, for a cache and for a controller to watch.
func Kinds() []client.Object {
	return []client.Object{
		&admissionregistrationv1.ValidatingWebhookConfiguration{},
		&admissionregistrationv1.MutatingWebhookConfiguration{},
	}
}

// Selector picks the configurations that are written here.
func Selector() labels.Selector {
	return labels.SelectorFromSet(labels.Set{LabelManagedBy: manager})
}

// PluginOf returns the plugin that a configuration is for, false for one that is not written here.
func PluginOf(configuration client.Object) (types.NamespacedName, bool) {
	l := configuration.GetLabels()
	name := types.NamespacedName{Namespace: l[LabelPluginNamespace], Name: l[LabelPlugin]}
	return name, l[LabelManagedBy] == manager && name.Namespace != "" && name.Name != ""
}

// Requests maps a configuration to its plugin, so that the plugin's controller sees to one that somebody has changed or
// deleted; a handler.MapFunc. A handler maps the state before a change too, so that taking the labels off is seen.
func Requests(_ context.Context, configuration client.Object) []reconcile.Request {
	name, ok := PluginOf(configuration)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: name}}
}

func labelsOf(name types.NamespacedName) map[string]string {
	return map[string]string{LabelManagedBy: manager, LabelPluginNamespace: name.Namespace, LabelPlugin: name.Name}
}
