// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
)

// BreakerState is the state of a circuit breaker, as the value of its gauge.
type BreakerState int32

// The states of a circuit breaker.
const (
	BreakerClosed BreakerState = iota
	BreakerHalfOpen
	BreakerOpen
)

// String returns the label value of the state.
func (s BreakerState) String() string {
	switch s {
	case BreakerClosed:
		return "closed"
	case BreakerHalfOpen:
		return "half-open"
	default:
		return "open"
	}
}

// Revision holds the metrics of one revision's decorators. The series belong to the plugin, whichever revision reports.
type Revision struct {
	*series
	digest, version string
	// state is the state of the revision's circuit breaker.
	state atomic.Int32
}

// Revision returns the metrics of a revision, and creates the series of its plugin if there are none.
func (m *Metrics) Revision(r plugin.Revision) *Revision {
	m.Begin(r.Plugin)
	return &Revision{
		series: m.of(r.Plugin), digest: r.Digest.String(),
		version: strings.ToValidUTF8(r.Metadata.Version, "\uFFFD"), // a label that is not UTF-8 would panic
	}
}

// SetServing records that the revision is now the serving revision.
func (r *Revision) SetServing() { r.serve(r) }

// Cache counts a lookup in the result cache.
func (r *Revision) Cache(hit bool) {
	c := &r.misses
	if hit {
		c = &r.hits
	}
	if counter := c.get(); counter != nil {
		counter.Inc()
	}
}

// Batch observes the size of a batch.
func (r *Revision) Batch(size int) {
	if o := r.batch.get(); o != nil {
		o.Observe(float64(size))
	}
}

// Breaker records the state that the revision's circuit breaker has entered. A replaced revision may still fail, so the
// gauge shows only the state of the serving revision.
func (r *Revision) Breaker(state BreakerState) {
	r.state.Store(int32(state))
	r.count(nameTransitions, r.name, state.String())
	r.metrics.mu.Lock()
	defer r.metrics.mu.Unlock()
	if r.serving == r {
		r.breaker.Set(float64(state))
	}
}

// Runner returns a Runner that counts and times the calls of next.
func (r *Revision) Runner(next plugin.Runner) plugin.Runner {
	return &measured{Runner: next, series: r.series}
}

type measured struct {
	plugin.Runner
	series *series
}

// Call implements plugin.Runner.
func (m *measured) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	e := m.series.export(call.Export)
	epoch := m.series.metrics.epoch
	start := time.Since(epoch) // it costs half as much as time.Now, because it does not read the wall clock
	reply, err := m.Runner.Call(ctx, call)
	if o := e.duration.get(); o != nil {
		o.Observe((time.Since(epoch) - start).Seconds())
	}
	if c := e.result(err); c != nil {
		c.Inc()
	}
	return reply, err
}
