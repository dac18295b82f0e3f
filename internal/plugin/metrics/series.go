// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// The results that are not a plugin.Kind.
const (
	// resultOK is the label value of a call that returned no error.
	resultOK = "OK"
	// resultError is the label value of an error without a kind.
	resultError = "Error"
)

// Results returns all results of calls.
func Results() []string {
	all := []string{resultOK}
	for _, kind := range plugin.Kinds() {
		all = append(all, string(kind))
	}
	return append(all, resultError)
}

// otherExport is the label value of all exports that are not part of the ABI.
const otherExport = "other"

// exports returns the exports that have their own series.
func exports() []string {
	return []string{
		abi.ExportReconcile, abi.ExportReconcileBatch, abi.ExportFinalize,
		abi.ExportValidateCreate, abi.ExportValidateUpdate, abi.ExportValidateDelete, abi.ExportSetDefaults, abi.ExportAdmit,
		otherExport,
	}
}

// series are the series of one plugin.
type series struct {
	metrics *Metrics
	name    string

	instances, memory, breaker prometheus.Gauge
	swaps, rollbacks           prometheus.Counter

	fresh, image once[prometheus.Observer]
	batch        once[prometheus.Observer]
	hits, misses once[prometheus.Counter]
	calls        []exportSeries   // in the order of exports
	webhooks     []*webhookSeries // in the order of webhooks

	// The lock of metrics guards the remaining fields.

	// removed is set by Forget. No series is created afterwards.
	removed bool
	// serving is the serving revision, or nil.
	serving *Revision
}

// exportSeries are the series of one export.
type exportSeries struct {
	name     string
	fuel     once[prometheus.Counter]
	duration once[prometheus.Observer]
	ok       once[prometheus.Counter]
	// failed has a counter for each kind of error, and one for errors without a kind.
	failed map[plugin.Kind]*once[prometheus.Counter]
}

// once is a series that is created on first use.
type once[T any] struct {
	made  atomic.Pointer[T]
	owner *series
	make  func() T
}

// get returns the series, or the zero value if the plugin was forgotten.
func (o *once[T]) get() T {
	if p := o.made.Load(); p != nil {
		return *p
	}
	return o.begin()
}

func (o *once[T]) begin() (nothing T) {
	o.owner.metrics.mu.Lock()
	defer o.owner.metrics.mu.Unlock()
	if o.owner.removed {
		return nothing
	}
	made := o.make()
	o.made.Store(&made)
	return made
}

func newSeries(m *Metrics, name string) *series {
	s := &series{
		metrics: m, name: name,
		instances: m.gauges[nameInstances].WithLabelValues(name),
		memory:    m.gauges[nameMemory].WithLabelValues(name),
		breaker:   m.gauges[nameBreaker].WithLabelValues(name),
		swaps:     m.counters[nameSwaps].WithLabelValues(name),
		rollbacks: m.counters[nameRollbacks].WithLabelValues(name),
	}
	s.observer(&s.fresh, nameInstantiate, name, plugin.InstantiatedFresh)
	s.observer(&s.image, nameInstantiate, name, plugin.InstantiatedImage)
	s.observer(&s.batch, nameBatch, name)
	s.counter(&s.hits, nameCacheResults, name, "hit")
	s.counter(&s.misses, nameCacheResults, name, "miss")
	for _, name := range webhooks {
		s.webhooks = append(s.webhooks, s.webhook(name))
	}
	s.calls = make([]exportSeries, len(exports()))
	for i, export := range exports() {
		e := &s.calls[i]
		e.name = export
		s.counter(&e.fuel, nameFuel, name, export)
		s.observer(&e.duration, nameDuration, name, export)
		s.counter(&e.ok, nameCalls, name, export, resultOK)
		e.failed = map[plugin.Kind]*once[prometheus.Counter]{}
		for _, kind := range append(plugin.Kinds(), "") {
			c := &once[prometheus.Counter]{}
			label := string(kind)
			if kind == "" {
				label = resultError
			}
			s.counter(c, nameCalls, name, export, label)
			e.failed[kind] = c
		}
	}
	return s
}

func (s *series) counter(o *once[prometheus.Counter], family string, labels ...string) {
	o.owner = s
	o.make = func() prometheus.Counter { return s.metrics.counters[family].WithLabelValues(labels...) }
}

func (s *series) observer(o *once[prometheus.Observer], family string, labels ...string) {
	o.owner = s
	o.make = func() prometheus.Observer { return s.metrics.histograms[family].WithLabelValues(labels...) }
}

// count increments a counter that is rarely used.
func (s *series) count(family string, labels ...string) {
	s.metrics.mu.Lock()
	defer s.metrics.mu.Unlock()
	if !s.removed {
		s.metrics.counters[family].WithLabelValues(labels...).Inc()
	}
}

// export returns the series of an export.
func (s *series) export(name string) *exportSeries {
	for i := range s.calls {
		if s.calls[i].name == name {
			return &s.calls[i]
		}
	}
	return &s.calls[len(s.calls)-1]
}

// result returns the counter of calls with the given result.
func (e *exportSeries) result(err error) prometheus.Counter {
	if err == nil {
		return e.ok.get()
	}
	c, ok := e.failed[plugin.KindOf(err)]
	if !ok {
		c = e.failed[""]
	}
	return c.get()
}

// serve records r, which may be nil, as the serving revision.
func (s *series) serve(r *Revision) {
	s.metrics.mu.Lock()
	defer s.metrics.mu.Unlock()
	if s.removed {
		return
	}
	info := s.metrics.gauges[nameRevision]
	info.DeletePartialMatch(prometheus.Labels{labelPlugin: s.name})
	s.serving = r
	state := BreakerClosed
	if r != nil {
		info.WithLabelValues(s.name, r.digest, r.version).Set(1)
		s.swaps.Inc()
		state = BreakerState(r.state.Load())
	}
	s.breaker.Set(float64(state))
}
