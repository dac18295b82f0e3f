// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	corev1 "k8s.io/api/core/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/access/anomaly"
)

// reasonRequestsDenied is the reason of the events about plugins whose requests are denied again and again.
const reasonRequestsDenied = "RequestsDenied"

// Anomalies detects plugins whose requests are denied again and again.
type Anomalies interface {
	Denied(r access.Record) (anomaly.Finding, bool)
	Forget(plugin string)
}

// reportDenials returns a function that records an Event when too many requests of a plugin are denied.
func (r *Reconciler) reportDenials(wp *pluginsv1alpha1.WasmPlugin) func(access.Record) {
	regarding := referenceTo(wp)
	return func(denied access.Record) {
		if finding, ok := r.Anomalies.Denied(denied); ok {
			r.Events.Eventf(regarding, nil, corev1.EventTypeWarning, reasonRequestsDenied, actionReconcile, "%s", truncateNote(finding.String()))
		}
	}
}
