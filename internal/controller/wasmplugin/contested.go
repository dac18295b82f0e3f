// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/admission"
)

// Contested records an Event on both plugins that set the same field. Everybody who can read the Events of a plugin's
// namespace can read its Event, so a plugin of another namespace is not named.
type Contested struct {
	Client client.Reader
	Events events.EventRecorder
}

// Record records the Events about a conflict.
func (c Contested) Record(conflict admission.Conflict) {
	c.record(conflict, conflict.Plugin, conflict.Other)
	c.record(conflict, conflict.Other, conflict.Plugin)
}

func (c Contested) record(conflict admission.Conflict, name, other types.NamespacedName) {
	var wp pluginsv1alpha1.WasmPlugin
	if err := c.Client.Get(context.Background(), name, &wp); err != nil {
		return // it is being deleted, which ends the conflict
	}
	who := "a plugin of another namespace"
	if other.Namespace == name.Namespace {
		who = fmt.Sprintf("plugin %q", other.Name)
	}
	recorder{events: c.Events}.record(referenceTo(&wp), corev1.EventTypeWarning, reasonFieldContested, actionAdmit,
		fmt.Sprintf("%s of %s is also set by %s; which one wins is not defined", conflict.Field, conflict.Kind, who))
}
