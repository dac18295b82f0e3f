// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// RegisterMetrics exposes every controller's metrics and health as k1s_embedded_*, labeled by
// controller. They are read when they are scraped. Durations per reconcile are in controller-runtime's
// own controller_runtime_reconcile_time_seconds.
func (r *Registry) RegisterMetrics(registerer prometheus.Registerer) error {
	if err := registerer.Register(newCollector(r)); err != nil {
		return fmt.Errorf("register the metrics of the embedded controllers: %w", err)
	}
	return nil
}

// collector reads the controllers of a registry.
type collector struct {
	registry *Registry
	series   []series
}

// series is one metric and where its value comes from.
type series struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(ControllerMetrics, HealthStatus) float64
}

func newCollector(registry *Registry) *collector {
	c := &collector{registry: registry}
	add := func(kind prometheus.ValueType, name, help string, value func(ControllerMetrics, HealthStatus) float64) {
		desc := prometheus.NewDesc(prometheus.BuildFQName("k1s", "embedded", name), help, []string{"controller"}, nil)
		c.series = append(c.series, series{desc: desc, kind: kind, value: value})
	}
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	add(counter, "reconciles_total", "Reconciles that have ended.",
		func(m ControllerMetrics, _ HealthStatus) float64 { return float64(m.Reconciles) })
	add(counter, "reconcile_errors_total", "Reconciles that returned an error or panicked.",
		func(m ControllerMetrics, _ HealthStatus) float64 { return float64(m.Errors) })
	add(counter, "reconcile_panics_total", "Reconciles that panicked.",
		func(m ControllerMetrics, _ HealthStatus) float64 { return float64(m.Panics) })
	add(counter, "requeues_total", "Reconciles that asked to be repeated without having failed.",
		func(m ControllerMetrics, _ HealthStatus) float64 { return float64(m.Requeues) })
	add(gauge, "in_flight", "Reconciles going on.",
		func(m ControllerMetrics, _ HealthStatus) float64 { return float64(m.InFlight) })
	add(gauge, "queue_depth", "Requests that wait for a worker.",
		func(m ControllerMetrics, _ HealthStatus) float64 { return float64(m.QueueDepth) })
	add(gauge, "last_reconcile_timestamp_seconds", "When the last reconcile ended, in seconds since 1970; 0 before the first.",
		func(m ControllerMetrics, _ HealthStatus) float64 {
			if m.LastReconcileTime.IsZero() {
				return 0
			}
			return float64(m.LastReconcileTime.UnixNano()) / 1e9
		})
	add(gauge, "last_reconcile_duration_seconds", "How long the last reconcile took.",
		func(m ControllerMetrics, _ HealthStatus) float64 { return m.LastReconcileDuration.Seconds() })
	add(gauge, "consecutive_errors", "Failed reconciles since the last good one.",
		func(_ ControllerMetrics, h HealthStatus) float64 { return float64(h.ConsecutiveErrors) })
	add(gauge, "running", "1 while the controller's workers run.",
		func(_ ControllerMetrics, h HealthStatus) float64 { return number(h.Synced) })
	add(gauge, "healthy", "1 while nothing is wrong with the controller.",
		func(_ ControllerMetrics, h HealthStatus) float64 { return number(h.Healthy) })
	return c
}

// Describe sends the descriptions.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, s := range c.series {
		out <- s.desc
	}
}

// Collect sends the current values.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for _, controller := range c.registry.List() {
		metrics, health := controller.GetMetrics(), controller.GetHealth()
		for _, s := range c.series {
			out <- prometheus.MustNewConstMetric(s.desc, s.kind, s.value(metrics, health), controller.GetName())
		}
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
