// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
	"github.com/k1s-io/k1s/internal/plugin/tracing"
)

// Stack adds the decorators to the Runner of every revision of every plugin.
type Stack struct {
	metrics *metrics.Metrics
	// tracer is nil if no exporter is configured.
	tracer *tracing.Tracer
}

// NewStack returns a Stack. With a nil tracer there is no tracing.
func NewStack(m *metrics.Metrics, tracer *tracing.Tracer) *Stack {
	return &Stack{metrics: m, tracer: tracer}
}

// Begin creates the metrics of a plugin that is about to be loaded.
func (s *Stack) Begin(name string) { s.metrics.Begin(name) }

// Host decorates the Host of a revision.
func (s *Stack) Host(r plugin.Revision, host plugin.Host) plugin.Host {
	if s.tracer == nil {
		return host
	}
	return s.tracer.Host(r, host)
}

// Limited counts a plugin's request that a limit of its spec denied.
func (s *Stack) Limited(name, layer string) { s.metrics.Limited(name, layer) }

// Runner decorates the Runner of a revision. The caller calls the returned function each time the Runner starts
// serving: the plugin's metrics are then those of this revision.
func (s *Stack) Runner(r plugin.Revision, runner plugin.Runner) (plugin.Runner, func()) {
	series := s.metrics.Revision(r)
	if r.Metadata.MaxBatch > 1 {
		joined := newBatcher(runner, series.Runner(s.traced(r, runner)), r.MaxInstances, r.Metadata.MaxBatch, series.Batch)
		joined.redact = r.Redact
		runner = joined
	}
	change := r.OnBreaker
	if change == nil {
		change = func(plugin.BreakerChange) {}
	}
	runner = newBreaker(runner, breakerHooks{state: series.Breaker, change: change})
	if r.Metadata.Deterministic {
		runner = newResultCache(runner, maxCached, maxCachedBytes, series.Cache)
	}
	return series.Runner(s.traced(r, runner)), series.SetServing
}

// traced creates spans for the calls of a Runner if a tracer is configured.
func (s *Stack) traced(r plugin.Revision, runner plugin.Runner) plugin.Runner {
	if s.tracer == nil {
		return runner
	}
	return s.tracer.Runner(r, runner)
}

// RolledBack counts a rollback of a plugin's revision.
func (s *Stack) RolledBack(name string) { s.metrics.RolledBack(name) }

// SelfTriggered counts a reconcile of a plugin that is delayed because only the plugin's own writes caused it.
func (s *Stack) SelfTriggered(name string) { s.metrics.SelfTriggered(name) }

// Stops records that the plugin has no serving revision any more.
func (s *Stack) Stops(name string) { s.metrics.Stops(name) }

// Forget removes the metrics of a deleted plugin.
func (s *Stack) Forget(name string) { s.metrics.Forget(name) }
