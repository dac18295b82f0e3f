// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/conditions"
)

// maxNote is the API's bound for an event's note, in bytes.
const maxNote = 1024

// Actions of the events about WasmPlugins.
const (
	actionLoad      = "Load"
	actionReconcile = "Reconcile"
)

// reasonRevisionLoaded is the reason of the event that tells of a new revision.
const reasonRevisionLoaded = "RevisionLoaded"

// telling is one thing to tell about a plugin.
type telling struct {
	kind, reason, note string
}

// tell emits events for what changed.
func (r *Reconciler) tell(before, after *pluginsv1alpha1.WasmPlugin) {
	for _, e := range eventsOf(before.Status, after.Status) {
		r.Events.Eventf(after, nil, e.kind, e.reason, actionLoad, "%s", truncateNote(e.note))
	}
}

// eventsOf decides what to tell: a new revision, and every phase that has begun to fail. Conditions
// that sum up others tell nothing of their own.
func eventsOf(before, after pluginsv1alpha1.WasmPluginStatus) []telling {
	var out []telling
	if is, was := after.Revision, before.Revision; is != nil &&
		(was == nil || was.Digest != is.Digest || !was.LoadedAt.Equal(&is.LoadedAt)) {
		out = append(out, telling{corev1.EventTypeNormal, reasonRevisionLoaded, "version " + is.Version + " (" + is.ShortDigest + ") serves"})
	}
	for _, c := range conditions.Changes(before.Conditions, after.Conditions) {
		switch {
		case c.Type == pluginsv1alpha1.ConditionReady && c.Reason == pluginsv1alpha1.ReasonSuspended:
			out = append(out, telling{corev1.EventTypeNormal, c.Reason, c.Message})
		case c.Type == pluginsv1alpha1.ConditionReady && c.Status == metav1.ConditionFalse:
			out = append(out, telling{corev1.EventTypeWarning, c.Reason, c.Message})
		case c.Type == pluginsv1alpha1.ConditionReady && c.Status == metav1.ConditionTrue && c.Was == metav1.ConditionFalse:
			out = append(out, telling{corev1.EventTypeNormal, "Ready", c.Message})
		}
	}
	return out
}

func truncateNote(note string) string {
	if len(note) <= maxNote {
		return note
	}
	return note[:maxNote-len("...")] + "..."
}
