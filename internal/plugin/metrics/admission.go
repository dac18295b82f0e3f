// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The webhooks through which requests to the API server are held up.
const (
	WebhookValidate = "validate"
	WebhookMutate   = "mutate"
)

// AdmissionResult is what became of a request to the API server that was held up.
type AdmissionResult string

// The results.
const (
	// AdmissionAllowed and AdmissionDenied are the plugin's answers.
	AdmissionAllowed AdmissionResult = "allowed"
	AdmissionDenied  AdmissionResult = "denied"
	// AdmissionFailedClosed and AdmissionFailedOpen are requests that the plugin could not answer, which were refused or
	// let through, as its failurePolicy has it.
	AdmissionFailedClosed AdmissionResult = "failed_closed"
	AdmissionFailedOpen   AdmissionResult = "failed_open"
	// AdmissionSkipped is a request that the plugin was not asked about.
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

// webhookSeries are those of one webhook of one plugin.
type webhookSeries struct {
	duration once[prometheus.Observer]
	results  []once[prometheus.Counter] // as admissionResults
}

func (s *series) webhook(name string) *webhookSeries {
	w := &webhookSeries{results: make([]once[prometheus.Counter], len(admissionResults))}
	s.observer(&w.duration, nameHeldDuration, s.name, name)
	for i, result := range admissionResults {
		s.counter(&w.results[i], nameHeld, s.name, name, string(result))
	}
	return w
}

// Held counts a request to the API server that was held up for a plugin, and how long; what was not answered is not timed.
func (m *Metrics) Held(name, webhook string, result AdmissionResult, took time.Duration) {
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
