// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"fmt"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/k1s-io/k1s/internal/plugin"
)

// Metrics holds the metrics of all plugins.
type Metrics struct {
	counters   map[string]*prometheus.CounterVec
	gauges     map[string]*prometheus.GaugeVec
	histograms map[string]*prometheus.HistogramVec
	queues     *queues
	// unbounded returns the number of plugins that RBAC does not restrict.
	unbounded atomic.Pointer[func() int]
	// pulledCache returns the size of the cache of artifacts.
	pulledCache atomic.Pointer[func() int64]
	// epoch is the start of the clock that times calls.
	epoch time.Time

	mu sync.Mutex // held while series are added or removed
	// plugins is replaced and never modified, so that it can be read without a lock.
	plugins atomic.Pointer[map[string]*series]
}

var _ plugin.EngineMetrics = (*Metrics)(nil)

// New creates and registers the metrics.
func New(registerer prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		counters:   map[string]*prometheus.CounterVec{},
		gauges:     map[string]*prometheus.GaugeVec{},
		histograms: map[string]*prometheus.HistogramVec{},
		epoch:      time.Now(),
	}
	m.plugins.Store(&map[string]*series{})
	for _, f := range Families() {
		if err := registerer.Register(m.collector(f)); err != nil {
			return nil, fmt.Errorf("register the metric %s: %w", f.Name, err)
		}
	}
	return m, nil
}

// collector creates the collector of a family.
func (m *Metrics) collector(f Family) prometheus.Collector {
	if f.Name == nameQueued {
		m.queues = newQueues(f)
		return m.queues
	}
	if f.Name == nameWithoutRBAC {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: f.Name, Help: f.Help}, func() float64 {
			if count := m.unbounded.Load(); count != nil {
				return float64((*count)())
			}
			return 0
		})
	}
	if f.Name == namePulledCache {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: f.Name, Help: f.Help}, func() float64 {
			if size := m.pulledCache.Load(); size != nil {
				return float64((*size)())
			}
			return 0
		})
	}
	switch f.Type {
	case Counter:
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: f.Name, Help: f.Help}, f.Labels)
		m.counters[f.Name] = v
		return v
	case Gauge:
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: f.Name, Help: f.Help}, f.Labels)
		m.gauges[f.Name] = v
		return v
	default:
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: f.Name, Help: f.Help, Buckets: f.Buckets}, f.Labels)
		m.histograms[f.Name] = v
		return v
	}
}

// WithoutRBAC sets the function that returns the number of plugins that RBAC does not restrict. It is called for every
// scrape.
func (m *Metrics) WithoutRBAC(count func() int) { m.unbounded.Store(&count) }

// Begin creates the series of a plugin.
func (m *Metrics) Begin(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := *m.plugins.Load()
	if old[name] != nil {
		return
	}
	next := maps.Clone(old)
	next[name] = newSeries(m, name)
	m.plugins.Store(&next)
}

// Forget deletes a plugin's series.
func (m *Metrics) Forget(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := *m.plugins.Load()
	s := old[name]
	if s == nil {
		return
	}
	next := maps.Clone(old)
	delete(next, name)
	m.plugins.Store(&next)
	s.removed = true
	labels := prometheus.Labels{labelPlugin: name}
	for _, v := range m.counters {
		v.DeletePartialMatch(labels)
	}
	for _, v := range m.gauges {
		v.DeletePartialMatch(labels)
	}
	for family, v := range m.histograms {
		if family != nameCompile { // this family has no plugin label
			v.DeletePartialMatch(labels)
		}
	}
}

// of returns the series of a plugin, or nil.
func (m *Metrics) of(name string) *series { return (*m.plugins.Load())[name] }

// Fuel implements plugin.EngineMetrics.
func (m *Metrics) Fuel(name, export string, instructions uint64) {
	if s := m.of(name); s != nil {
		if c := s.export(export).fuel.get(); c != nil {
			c.Add(float64(instructions))
		}
	}
}

// Instances implements plugin.EngineMetrics.
func (m *Metrics) Instances(name string, delta int) {
	if s := m.of(name); s != nil {
		s.instances.Add(float64(delta))
	}
}

// Memory implements plugin.EngineMetrics.
func (m *Metrics) Memory(name string, deltaBytes int64) {
	if s := m.of(name); s != nil {
		s.memory.Add(float64(deltaBytes))
	}
}

// Instantiated implements plugin.EngineMetrics.
func (m *Metrics) Instantiated(name, how string, d time.Duration) {
	s := m.of(name)
	if s == nil {
		return
	}
	h := &s.fresh
	if how == plugin.InstantiatedImage {
		h = &s.image
	}
	if o := h.get(); o != nil {
		o.Observe(d.Seconds())
	}
}

// Compiled implements plugin.EngineMetrics.
func (m *Metrics) Compiled(d time.Duration, cached bool) {
	m.histograms[nameCompile].WithLabelValues(strconv.FormatBool(cached)).Observe(d.Seconds())
}

// Decided counts a request to the API server that writes or was denied.
func (m *Metrics) Decided(name, decision, layer string) {
	if s := m.of(name); s != nil {
		s.count(nameDecided, name, decision, layer)
	}
}

// Suspicious counts that very many requests of a plugin were denied.
func (m *Metrics) Suspicious(name string) {
	if s := m.of(name); s != nil {
		s.count(nameSuspicious, name)
	}
}

// AuditDropped counts records that the audit log dropped.
func (m *Metrics) AuditDropped(records int) {
	m.counters[nameAuditDropped].WithLabelValues().Add(float64(records))
}

// Limited counts a plugin's request that a limit of its spec denied.
func (m *Metrics) Limited(name, layer string) {
	if s := m.of(name); s != nil {
		s.count(nameLimited, name, layer)
	}
}

// RolledBack counts a revision that was rolled back.
func (m *Metrics) RolledBack(name string) {
	if s := m.of(name); s != nil {
		s.rollbacks.Inc()
	}
}

// SelfTriggered counts a reconcile that was delayed because only the plugin's own writes had caused it.
func (m *Metrics) SelfTriggered(name string) {
	if s := m.of(name); s != nil {
		s.count(nameSelfTriggers, name)
	}
}

// Stops records that the plugin has no serving revision any more. Its counters stay.
func (m *Metrics) Stops(name string) {
	if s := m.of(name); s != nil {
		s.serve(nil)
	}
}
