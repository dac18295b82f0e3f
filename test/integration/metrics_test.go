// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

// borrowed registers collectors in the registry that controller-runtime serves metrics from, and records them. The
// whole process shares this registry, so the test has to unregister them.
type borrowed struct {
	prometheus.Registerer
	registered []prometheus.Collector
}

func (b *borrowed) Register(c prometheus.Collector) error {
	b.registered = append(b.registered, c)
	return b.Registerer.Register(c)
}

// scraped is the /metrics endpoint of an operator.
type scraped struct{ url string }

// serveMetrics makes an operator serve its metrics without TLS.
func serveMetrics(t *testing.T) (scraped, func(*app.Options)) {
	t.Helper()
	address := testenv.FreeAddress(t)
	registerer := &borrowed{Registerer: ctrlmetrics.Registry}
	t.Cleanup(func() {
		for _, c := range registerer.registered {
			registerer.Unregister(c)
		}
	})
	return scraped{"http://" + address + "/metrics"}, func(o *app.Options) {
		o.MetricsAddress, o.SecureMetrics, o.Registerer = address, false, registerer
	}
}

// sum returns the sum and the number of the series of a metric that have all of the labels.
func (s scraped) sum(ctx context.Context, family string, labels map[string]string) (sum float64, series int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return 0, 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		text, value, ok := strings.Cut(lines.Text(), "} ")
		name, have, _ := strings.Cut(text, "{")
		if !ok || name != family || !hasLabels(have, labels) {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, 0, err
		}
		sum += v
		series++
	}
	return sum, series, lines.Err()
}

// hasLabels reports whether the text between the braces of a series has all of the labels.
func hasLabels(text string, want map[string]string) bool {
	for name, value := range want {
		if !strings.Contains(","+text, fmt.Sprintf(",%s=%q", name, value)) {
			return false
		}
	}
	return true
}

// expect waits until the series meet the condition.
func (s scraped) expect(t *testing.T, what, family string, labels map[string]string, good func(sum float64, series int) bool) {
	t.Helper()
	testenv.Eventually(t, what, func(ctx context.Context) error {
		sum, series, err := s.sum(ctx, family, labels)
		if err == nil && !good(sum, series) {
			err = fmt.Errorf("%s%v: %d series, %g in all", family, labels, series, sum)
		}
		return err
	})
}

func atLeast(n float64) func(float64, int) bool {
	return func(sum float64, _ int) bool { return sum >= n }
}

func exactly(n float64) func(float64, int) bool {
	return func(sum float64, series int) bool { return series == 1 && sum == n }
}

func none(_ float64, series int) bool { return series == 0 }

// TestWasmPlugin_breaker checks that a guest that always traps is called only for a probe from time to time, that its
// objects stay in the queue, and that the next module receives all of them. The metrics show all of this, and are
// removed with the plugin.
func TestWasmPlugin_breaker(t *testing.T) {
	metrics, configure := serveMetrics(t)
	o := startOperator(t, configure)
	n := newTenant(t, o.env, annotatorRules()...)
	names := []string{"cups", "plates", "spoons"}
	for _, name := range names {
		n.category(t, name)
	}
	n.Store(t, "tags", localFixture(t, "trapper.wasm"))
	n.Plugin(t, "tags")
	self := func(more ...string) map[string]string {
		labels := map[string]string{"plugin": n.NS + "/tags"}
		for i := 0; i < len(more); i += 2 {
			labels[more[i]] = more[i+1]
		}
		return labels
	}

	n.expectEvent(t, "tags", "CircuitBreakerOpened", "unreachable")
	metrics.expect(t, "the traps are counted", "k1s_plugin_calls_total", self("export", "reconcile", "result", "Trap"), atLeast(5))
	metrics.expect(t, "calls are not let through", "k1s_plugin_calls_total", self("result", "Unavailable"), atLeast(1))
	metrics.expect(t, "the guest is retried", "k1s_plugin_breaker_transitions_total", self("state", "half-open"), atLeast(2))
	metrics.expect(t, "and fails again", "k1s_plugin_breaker_state", self(), exactly(2))
	metrics.expect(t, "the queue is measured", "k1s_plugin_queue_depth", map[string]string{"plugin": n.NS + "/tags"}, func(_ float64, series int) bool { return series > 0 })
	n.category(t, "born-meanwhile")
	names = append(names, "born-meanwhile")
	opened := 0
	for _, e := range n.events(t) {
		if e.Reason == "CircuitBreakerOpened" {
			opened++
			if strings.Contains(e.Message, "Category") {
				t.Errorf("the event is about an object: %s", e.Message)
			}
		}
	}
	if opened != 1 {
		t.Errorf("%d events report the breaker, want 1: probes that fail are nothing new", opened)
	}

	good := versionOf(t, "1.0.1")
	n.Store(t, "tags", good)
	for _, name := range names {
		n.expectAnnotated(t, name)
	}
	n.ExpectCondition(t, "tags", pluginsv1alpha1.ConditionReady, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded)
	metrics.expect(t, "a new revision begins with a closed breaker", "k1s_plugin_breaker_state", self(), exactly(0))
	metrics.expect(t, "good calls are counted", "k1s_plugin_calls_total", self("export", "reconcile", "result", "OK"), atLeast(float64(len(names))))
	metrics.expect(t, "and timed", "k1s_plugin_call_duration_seconds_count", self("export", "reconcile"), atLeast(float64(len(names))))
	metrics.expect(t, "the engine reports fuel", "k1s_plugin_fuel_instructions_total", self("export", "reconcile"), atLeast(1))
	metrics.expect(t, "of instances", "k1s_plugin_instances", self(), atLeast(1))
	metrics.expect(t, "of their memory", "k1s_plugin_memory_bytes", self(), atLeast(1))
	metrics.expect(t, "and of compiling", "k1s_compile_duration_seconds_count", nil, atLeast(1))
	metrics.expect(t, "two revisions have served", "k1s_plugin_swaps_total", self(), exactly(2))
	digest := plugin.DigestOf(good).String()
	metrics.expect(t, "the second one serves", "k1s_plugin_revision_info", self("digest", digest, "version", "1.0.1"), exactly(1))
	metrics.expect(t, "and no other", "k1s_plugin_revision_info", self(), exactly(1))

	wp, err := n.GetPlugin(t.Context(), "tags")
	if err != nil {
		t.Fatal(err)
	}
	n.Delete(t, wp)
	for _, family := range []string{
		"k1s_plugin_calls_total", "k1s_plugin_call_duration_seconds_count", "k1s_plugin_breaker_state", "k1s_plugin_breaker_transitions_total",
		"k1s_plugin_revision_info", "k1s_plugin_swaps_total", "k1s_plugin_instances", "k1s_plugin_memory_bytes",
	} {
		metrics.expect(t, family+" is gone", family, self(), none)
	}
}

// TestWasmPlugin_rate checks that a plugin which exceeds its limit of requests per second receives an error that says
// so, and still completes its work.
func TestWasmPlugin_rate(t *testing.T) {
	metrics, configure := serveMetrics(t)
	o := startOperator(t, configure)
	n := newTenant(t, o.env, annotatorRules()...)
	const categories = 5
	for i := range categories {
		n.category(t, fmt.Sprintf("c%d", i))
	}
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Security.RequestsPerSecond, s.Security.Burst = 10, 1
	})
	for i := range categories {
		n.expectAnnotated(t, fmt.Sprintf("c%d", i))
	}
	metrics.expect(t, "denials are counted", "k1s_plugin_requests_limited_total",
		map[string]string{"plugin": n.NS + "/annotator", "layer": "rate"}, atLeast(1))
	n.expectEvent(t, "annotator", "ReconcileFailed", "rate: security.requestsPerSecond is 10")
}
