// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The webhooks of a plugin, as values of a label.
const (
	WebhookValidate = "validate"
	WebhookMutate   = "mutate"
)

// AdmissionResult is the result of an admission request.
type AdmissionResult string

// The results of an admission request.
const (
	// AdmissionAllowed and AdmissionDenied are the results of the plugin's call.
	AdmissionAllowed AdmissionResult = "allowed"
	AdmissionDenied  AdmissionResult = "denied"
	// AdmissionFailedClosed and AdmissionFailedOpen are requests for which the plugin's call failed, and which its
	// failurePolicy denied or allowed.
	AdmissionFailedClosed AdmissionResult = "failed_closed"
	AdmissionFailedOpen   AdmissionResult = "failed_open"
	// AdmissionSkipped is a request that was allowed without a call of the plugin.
	AdmissionSkipped AdmissionResult = "skipped"
	// AdmissionOverloaded is a request that was rejected unread, because too many bytes were in flight.
	AdmissionOverloaded AdmissionResult = "overloaded"
)

var (
	webhooks         = []string{WebhookValidate, WebhookMutate}
	admissionResults = []AdmissionResult{
		AdmissionAllowed, AdmissionDenied, AdmissionFailedClosed, AdmissionFailedOpen, AdmissionSkipped, AdmissionOverloaded,
	}
)

// webhookSeries are the series of one webhook of one plugin.
type webhookSeries struct {
	duration once[prometheus.Observer]
	results  []once[prometheus.Counter] // in the order of admissionResults
}

func (s *series) webhook(name string) *webhookSeries {
	w := &webhookSeries{results: make([]once[prometheus.Counter], len(admissionResults))}
	s.observer(&w.duration, nameAdmissionDuration, s.name, name)
	for i, result := range admissionResults {
		s.counter(&w.results[i], nameAdmissionRequests, s.name, name, string(result))
	}
	return w
}

// AdmissionRequest counts an admission request and observes its duration; skipped requests have none.
func (m *Metrics) AdmissionRequest(name, webhook string, result AdmissionResult, took time.Duration) {
	s := m.of(name)
	hook, outcome := slices.Index(webhooks, webhook), slices.Index(admissionResults, result)
	if s == nil || hook < 0 || outcome < 0 {
		return
	}
	w := s.webhooks[hook]
	if c := w.results[outcome].get(); c != nil {
		c.Inc()
	}
	if result == AdmissionSkipped || result == AdmissionOverloaded {
		return
	}
	if o := w.duration.get(); o != nil {
		o.Observe(took.Seconds())
	}
}
