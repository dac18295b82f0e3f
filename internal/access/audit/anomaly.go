// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// Threshold is how many denied requests within Window are reported.
	Threshold = 20
	// Window is the time in which denied requests are counted.
	Window = time.Minute
	// Quiet is how long a plugin is not reported again.
	Quiet = 10 * time.Minute
)

// Finding is a plugin with too many denied requests.
type Finding struct {
	// Within is the time in which the last Threshold requests were denied.
	Within time.Duration
	// Last is the Record of the last denied request.
	Last Record
}

// String returns the message of an Event or a log line.
func (f Finding) String() string {
	what := f.Last.Resource
	if f.Last.Group != "" {
		what += "." + f.Last.Group
	}
	if f.Last.Subresource != "" {
		what += "/" + f.Last.Subresource
	}
	where := ""
	if f.Last.Namespace != "" {
		where = fmt.Sprintf(" in namespace %q", f.Last.Namespace)
	}
	if f.Last.Host != "" {
		where = fmt.Sprintf(" to %q", f.Last.Host)
	}
	return fmt.Sprintf("%d of the plugin's requests were denied within %s; the last one: %s %s%s, denied by %s (%s). "+
		"Check its settings and its permissions; the audit log (flag --audit-log) has the denied requests",
		Threshold, f.Within.Round(time.Second), f.Last.Verb, what, where, f.Last.Layer, f.Last.Reason)
}

// Detector counts denied requests by plugin. It keeps the state of a plugin from its first denied request until Forget.
type Detector struct {
	clock   clock.PassiveClock
	metrics Metrics

	mu      sync.Mutex
	plugins map[string]*denials
}

// denials are the times of a plugin's last Threshold denied requests, the oldest at next.
type denials struct {
	times    [Threshold]time.Time
	next     int
	reported time.Time
}

// NewDetector returns a Detector. With nil Metrics, it counts nothing.
func NewDetector(clk clock.PassiveClock, metrics Metrics) *Detector {
	if metrics == nil {
		metrics = NoMetrics{}
	}
	return &Detector{clock: clk, metrics: metrics, plugins: map[string]*denials{}}
}

// Denied counts a denied request. It returns a Finding and true if the plugin reached the Threshold, and was not
// reported within Quiet.
func (d *Detector) Denied(r Record) (Finding, bool) {
	now := d.clock.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.plugins[r.Plugin]
	if p == nil {
		p = &denials{}
		d.plugins[r.Plugin] = p
	}
	p.times[p.next] = now
	p.next = (p.next + 1) % Threshold
	oldest := p.times[p.next]
	switch {
	case oldest.IsZero(), now.Sub(oldest) > Window:
		return Finding{}, false
	case !p.reported.IsZero() && now.Sub(p.reported) < Quiet:
		return Finding{}, false
	}
	p.reported = now
	d.metrics.Suspicious(r.Plugin)
	return Finding{Within: now.Sub(oldest), Last: r}, true
}

// Forget removes the state of a plugin that was deleted.
func (d *Detector) Forget(plugin string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.plugins, plugin)
}
