// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// queues collects the depth of every plugin's queue on each scrape. Queues that maintain their own metrics update them
// twice a second each, which with hundreds of idle plugins is most of the operator's work.
type queues struct {
	desc   *prometheus.Desc
	depths atomic.Pointer[func() map[string]int]
}

func newQueues(f Family) *queues {
	return &queues{desc: prometheus.NewDesc(f.Name, f.Help, f.Labels, nil)}
}

// Describe implements prometheus.Collector.
func (q *queues) Describe(into chan<- *prometheus.Desc) { into <- q.desc }

// Collect implements prometheus.Collector.
func (q *queues) Collect(into chan<- prometheus.Metric) {
	depths := q.depths.Load()
	if depths == nil {
		return
	}
	for name, depth := range (*depths)() {
		into <- prometheus.MustNewConstMetric(q.desc, prometheus.GaugeValue, float64(depth), name)
	}
}

// Queues sets the function that returns the depths of the queues by plugin ("namespace/name"). It is called for every
// scrape.
func (m *Metrics) Queues(depths func() map[string]int) { m.queues.depths.Store(&depths) }
