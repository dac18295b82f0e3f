// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/conditions"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/text"
)

// maxNote is the API's limit for an Event's note, in bytes.
const maxNote = 1024

// Actions of the events about WasmPlugins.
const (
	actionLoad      = "Load"
	actionReconcile = "Reconcile"
	actionAdmit     = "Admit"
)

// Reasons of the Events about WasmPlugins. Besides these, the reasons of the conditions Ready and CleanedUp are used.
const (
	reasonRevisionLoaded = "RevisionLoaded"
	reasonBreakerOpened  = "CircuitBreakerOpened"
	reasonBreakerClosed  = "CircuitBreakerClosed"
	// reasonReconcileFailed is about failed calls.
	reasonReconcileFailed = "ReconcileFailed"
	// reasonFinalizeFailed is about objects to which the finalizer could not be added, or that could not be finalized.
	reasonFinalizeFailed = "FinalizeFailed"
	// reasonFinalizerRemoved is about objects whose deletion a plugin no longer blocks.
	reasonFinalizerRemoved = "ObjectsReleased"
	// reasonSelfTriggered is about objects that are reconciled only because of the plugin's own writes.
	reasonSelfTriggered = "SelfTriggered"
	// reasonRequestsDenied is about plugins whose requests are denied again and again.
	reasonRequestsDenied = "RequestsDenied"
	// reasonAdmissionFailed is about admission requests that a plugin failed to answer.
	reasonAdmissionFailed = "AdmissionFailed"
	// reasonFieldContested is about fields for which two plugins set defaults.
	reasonFieldContested = "FieldContested"
)

// Anomalies detects plugins whose requests are denied again and again.
type Anomalies interface {
	Denied(r audit.Record) (audit.Finding, bool)
	Forget(plugin string)
}

// recorder records the Events about WasmPlugins. The underlying recorder aggregates equal Events.
type recorder struct {
	events    events.EventRecorder
	anomalies Anomalies
}

func (r recorder) record(regarding *pluginsv1alpha1.WasmPlugin, kind, reason, action, note string) {
	r.events.Eventf(regarding, nil, kind, reason, action, "%s", text.Truncate(note, maxNote))
}

// changes records the Events about what changed in the status of a load.
func (r recorder) changes(l *load) {
	for _, e := range eventsOf(l.stored.Status, l.plugin.Status) {
		r.record(l.plugin, e.kind, e.reason, actionLoad, e.note)
	}
}

// objects returns a function that records Warnings about a plugin's objects.
func (r recorder) objects(wp *pluginsv1alpha1.WasmPlugin) func(reason, note string) {
	regarding := referenceTo(wp)
	return func(reason, note string) { r.record(regarding, corev1.EventTypeWarning, reason, actionReconcile, note) }
}

// breaker returns a function that records Events about a revision's circuit breaker.
func (r recorder) breaker(wp *pluginsv1alpha1.WasmPlugin, digest plugin.Digest) func(plugin.BreakerChange) {
	regarding := referenceTo(wp)
	return func(c plugin.BreakerChange) {
		e := breakerEvent(digest, c)
		r.record(regarding, e.kind, e.reason, actionReconcile, e.note)
	}
}

// denials returns a function that records an Event when too many requests of a plugin are denied.
func (r recorder) denials(wp *pluginsv1alpha1.WasmPlugin) func(audit.Record) {
	regarding := referenceTo(wp)
	return func(denied audit.Record) {
		if finding, ok := r.anomalies.Denied(denied); ok {
			r.record(regarding, corev1.EventTypeWarning, reasonRequestsDenied, actionReconcile, finding.String())
		}
	}
}

// admission returns a function that records an Event about an admission request that a plugin failed to answer.
func (r recorder) admission(wp *pluginsv1alpha1.WasmPlugin) func(admission.Failure) {
	regarding := referenceTo(wp)
	return func(f admission.Failure) {
		r.record(regarding, corev1.EventTypeWarning, reasonAdmissionFailed, actionAdmit, fmt.Sprintf("%s %s: %v", f.Export, f.Key, f.Err))
	}
}

// finalizersRemoved records that objects lost the finalizer of a plugin without permissions.
func (r recorder) finalizersRemoved(l *load, objects int, after time.Duration) {
	r.record(l.plugin, corev1.EventTypeWarning, reasonFinalizerRemoved, actionReconcile, fmt.Sprintf(
		"the plugin's finalizer was removed from %d objects, as the plugin has lacked permissions for %s: %s", objects, after, l.problem.message))
}

// pluginEvent is the content of an Event about a plugin.
type pluginEvent struct {
	kind, reason, note string
}

// breakerEvent returns the Event about a change of a circuit breaker.
func breakerEvent(digest plugin.Digest, c plugin.BreakerChange) pluginEvent {
	if !c.Open {
		return pluginEvent{corev1.EventTypeNormal, reasonBreakerClosed, digest.Short() + " works again, and receives events"}
	}
	return pluginEvent{corev1.EventTypeWarning, reasonBreakerOpened, fmt.Sprintf(
		"%s failed too often in a row and receives no events for now; the next try is in %s. The last failure: %v", digest.Short(), c.RetryAfter, c.Cause)}
}

// referenceTo returns a copy of a WasmPlugin with nothing but its type and metadata.
func referenceTo(wp *pluginsv1alpha1.WasmPlugin) *pluginsv1alpha1.WasmPlugin {
	return &pluginsv1alpha1.WasmPlugin{TypeMeta: wp.TypeMeta, ObjectMeta: *wp.ObjectMeta.DeepCopy()}
}

// eventsOf returns the Events about a change of the status: a new revision, and transitions of the conditions Ready and
// CleanedUp. Ready has the reason and the message of the phase that failed, so the conditions of the phases need no
// Events of their own.
func eventsOf(before, after pluginsv1alpha1.WasmPluginStatus) []pluginEvent {
	var out []pluginEvent
	if is, was := after.Revision, before.Revision; is != nil &&
		(was == nil || was.Digest != is.Digest || !was.LoadedAt.Equal(&is.LoadedAt)) {
		out = append(out, pluginEvent{corev1.EventTypeNormal, reasonRevisionLoaded, "version " + is.Version + " (" + is.ShortDigest + ") serves"})
	}
	for _, c := range conditions.Changes(before.Conditions, after.Conditions) {
		switch {
		case c.Type == pluginsv1alpha1.ConditionReady && c.Reason == pluginsv1alpha1.ReasonSuspended:
			out = append(out, pluginEvent{corev1.EventTypeNormal, c.Reason, c.Message})
		case c.Type == pluginsv1alpha1.ConditionReady && c.Status == metav1.ConditionFalse:
			out = append(out, pluginEvent{corev1.EventTypeWarning, c.Reason, c.Message})
		case c.Type == pluginsv1alpha1.ConditionReady && c.Status == metav1.ConditionTrue && c.Was == metav1.ConditionFalse:
			out = append(out, pluginEvent{corev1.EventTypeNormal, "Ready", c.Message})
		case c.Type == pluginsv1alpha1.ConditionCleanedUp && c.Status == metav1.ConditionFalse:
			out = append(out, pluginEvent{corev1.EventTypeWarning, c.Reason, c.Message})
		}
	}
	return out
}
