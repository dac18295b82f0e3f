// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/conditions"
	"github.com/k1s-io/k1s/internal/plugin"
)

// maxNote is the API's limit for an Event's note, in bytes.
const maxNote = 1024

// Actions of the events about WasmPlugins.
const (
	actionLoad      = "Load"
	actionReconcile = "Reconcile"
)

// reasonRevisionLoaded is the reason of the event about a new revision.
const reasonRevisionLoaded = "RevisionLoaded"

// Reasons of the events about a plugin's circuit breaker.
const (
	reasonBreakerOpened = "CircuitBreakerOpened"
	reasonBreakerClosed = "CircuitBreakerClosed"
)

// reportBreaker returns a function that records Events about a revision's circuit breaker.
func (r *Reconciler) reportBreaker(wp *pluginsv1alpha1.WasmPlugin, digest plugin.Digest) func(plugin.BreakerChange) {
	regarding := referenceTo(wp)
	return func(c plugin.BreakerChange) {
		e := breakerEvent(digest, c)
		r.Events.Eventf(regarding, nil, e.kind, e.reason, actionReconcile, "%s", truncateNote(e.note))
	}
}

// breakerEvent returns the Event about a change of a circuit breaker.
func breakerEvent(digest plugin.Digest, c plugin.BreakerChange) eventRecorder {
	if !c.Open {
		return eventRecorder{corev1.EventTypeNormal, reasonBreakerClosed, digest.Short() + " works again, and receives events"}
	}
	return eventRecorder{corev1.EventTypeWarning, reasonBreakerOpened, fmt.Sprintf(
		"%s failed too often in a row and receives no events for now; the next try is in %s. The last failure: %v", digest.Short(), c.RetryAfter, c.Cause)}
}

// referenceTo returns a copy of a WasmPlugin with nothing but its type and metadata.
func referenceTo(wp *pluginsv1alpha1.WasmPlugin) *pluginsv1alpha1.WasmPlugin {
	return &pluginsv1alpha1.WasmPlugin{TypeMeta: wp.TypeMeta, ObjectMeta: *wp.ObjectMeta.DeepCopy()}
}

// eventRecorder is the content of an Event about a plugin.
type eventRecorder struct {
	kind, reason, note string
}

// recordEvent records the Events about what changed between two states of a plugin.
func (r *Reconciler) recordEvent(before, after *pluginsv1alpha1.WasmPlugin) {
	for _, e := range eventsOf(before.Status, after.Status) {
		r.Events.Eventf(after, nil, e.kind, e.reason, actionLoad, "%s", truncateNote(e.note))
	}
}

// eventsOf returns the Events about a change of the status: a new revision, and transitions of the conditions Ready and
// CleanedUp. Ready has the reason and the message of the phase that failed, so the conditions of the phases need no
// Events of their own.
func eventsOf(before, after pluginsv1alpha1.WasmPluginStatus) []eventRecorder {
	var out []eventRecorder
	if is, was := after.Revision, before.Revision; is != nil &&
		(was == nil || was.Digest != is.Digest || !was.LoadedAt.Equal(&is.LoadedAt)) {
		out = append(out, eventRecorder{corev1.EventTypeNormal, reasonRevisionLoaded, "version " + is.Version + " (" + is.ShortDigest + ") serves"})
	}
	for _, c := range conditions.Changes(before.Conditions, after.Conditions) {
		switch {
		case c.Type == pluginsv1alpha1.ConditionReady && c.Reason == pluginsv1alpha1.ReasonSuspended:
			out = append(out, eventRecorder{corev1.EventTypeNormal, c.Reason, c.Message})
		case c.Type == pluginsv1alpha1.ConditionReady && c.Status == metav1.ConditionFalse:
			out = append(out, eventRecorder{corev1.EventTypeWarning, c.Reason, c.Message})
		case c.Type == pluginsv1alpha1.ConditionReady && c.Status == metav1.ConditionTrue && c.Was == metav1.ConditionFalse:
			out = append(out, eventRecorder{corev1.EventTypeNormal, "Ready", c.Message})
		case c.Type == pluginsv1alpha1.ConditionCleanedUp && c.Status == metav1.ConditionFalse:
			out = append(out, eventRecorder{corev1.EventTypeWarning, c.Reason, c.Message})
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
