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

// Kinds returns the kinds of webhook configurations, for a cache and for a controller to watch.
func Kinds() []client.Object {
	return []client.Object{
		&admissionregistrationv1.ValidatingWebhookConfiguration{},
		&admissionregistrationv1.MutatingWebhookConfiguration{},
	}
}

// Selector returns a selector of the webhook configurations that Configurations writes.
func Selector() labels.Selector {
	return labels.SelectorFromSet(labels.Set{LabelManagedBy: manager})
}

// PluginOf returns the plugin of a webhook configuration. It returns false if Configurations did not write it.
func PluginOf(configuration client.Object) (types.NamespacedName, bool) {
	l := configuration.GetLabels()
	name := types.NamespacedName{Namespace: l[LabelPluginNamespace], Name: l[LabelPlugin]}
	return name, l[LabelManagedBy] == manager && name.Namespace != "" && name.Name != ""
}

// Requests maps a webhook configuration to its plugin, so that the plugin's controller restores one that somebody has
// changed or deleted. It is a handler.MapFunc. A handler also maps the object before an update, so that a removal of
// the labels is handled too.
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
