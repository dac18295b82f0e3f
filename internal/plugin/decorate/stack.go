// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
	"github.com/k1s-io/k1s/internal/plugin/tracing"
)

// Stack puts the decorators around the runner of every revision of every plugin.
type Stack struct {
	metrics *metrics.Metrics
	// tracer is nil where no exporter is configured.
	tracer *tracing.Tracer
}

// NewStack makes a Stack. A nil tracer traces nothing.
func NewStack(m *metrics.Metrics, tracer *tracing.Tracer) *Stack {
	return &Stack{metrics: m, tracer: tracer}
}

// Begin lets the metrics of a plugin, which is about to be loaded, come into being.
func (s *Stack) Begin(name string) { s.metrics.Begin(name) }

// Host decorates what a revision's guest reaches.
func (s *Stack) Host(r plugin.Revision, host plugin.Host) plugin.Host {
	if s.tracer == nil {
		return host
	}
	return s.tracer.Host(r, host)
}

// Limited counts a request of a plugin's that a limit of its spec refused.
func (s *Stack) Limited(name, layer string) { s.metrics.Limited(name, layer) }

// Runner decorates a revision's runner. What it also returns is to be called each time that the runner begins to
// serve: its metrics are then those of the plugin.
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
	return series.Runner(s.traced(r, runner)), series.Serves
}

// traced makes spans of a runner's calls, where there is somewhere to send them.
func (s *Stack) traced(r plugin.Revision, runner plugin.Runner) plugin.Runner {
	if s.tracer == nil {
		return runner
	}
	return s.tracer.Runner(r, runner)
}

// RolledBack tells that a plugin's revision had to give its place back.
func (s *Stack) RolledBack(name string) { s.metrics.RolledBack(name) }

// SelfTriggered counts a reconcile of a plugin's that is delayed because only its own writes have caused it.
func (s *Stack) SelfTriggered(name string) { s.metrics.SelfTriggered(name) }

// Stops tells that no revision of a plugin serves any more.
func (s *Stack) Stops(name string) { s.metrics.Stops(name) }

// Forget ends the metrics of a plugin that is no more.
func (s *Stack) Forget(name string) { s.metrics.Forget(name) }
