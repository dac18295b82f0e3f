// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
	"github.com/k1s-io/k1s/internal/plugin/tracing"
)

func newStack(tb testing.TB, tracer *tracing.Tracer) (*Stack, *prometheus.Registry) {
	tb.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := metrics.New(registry)
	if err != nil {
		tb.Fatal(err)
	}
	return NewStack(m, tracer), registry
}

func everything() plugin.Revision {
	return plugin.Revision{
		Plugin: "shop/tags", Digest: plugin.DigestOf(nil), MaxInstances: 4,
		Metadata: plugin.Metadata{Version: "1", Deterministic: true, MaxBatch: 32},
	}
}

// value returns the sum of a family's series with a label value. For histograms it adds the counts.
func value(t *testing.T, g prometheus.Gatherer, family, label string) (sum float64) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == family && l.GetValue() == label {
					sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
				}
			}
		}
	}
	return sum
}

// The order of the decorators: metrics and spans cover every call, the cache replies while the breaker is open, and the
// breaker counts each caller separately.
func TestStack_Runner(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	s, registry := newStack(t, tracing.New(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))))
	var opened []bool
	about := everything()
	about.OnBreaker = func(c plugin.BreakerChange) { opened = append(opened, c.Open) }
	g := &guest{answer: func(_ context.Context, call plugin.Call) ([]byte, error) {
		if call.Export == abi.ExportReconcile {
			return nil, failure(plugin.KindTrap)
		}
		return []byte("{}"), nil
	}}
	r, healthy := s.Runner(about, g)
	healthy()
	validate := plugin.Call{Export: abi.ExportValidateCreate, Input: []byte("one")}
	calls := 0
	call := func(c plugin.Call) error {
		calls++
		_, err := r.Call(t.Context(), c)
		return err
	}
	if err := call(validate); err != nil {
		t.Fatal(err)
	}
	for range tripAfter {
		if err := call(plugin.Call{Export: abi.ExportReconcile}); plugin.KindOf(err) != plugin.KindTrap {
			t.Fatalf("got %v", err)
		}
	}
	if err := call(plugin.Call{Export: abi.ExportReconcile}); plugin.RetryAfter(err) <= 0 {
		t.Errorf("got %v, want the breaker open", err)
	}
	if err := call(validate); err != nil {
		t.Errorf("a known answer while the breaker is open: %v", err)
	}
	validate.Input = []byte("two")
	if err := call(validate); plugin.RetryAfter(err) <= 0 {
		t.Errorf("an unknown answer while the breaker is open: %v", err)
	}
	if len(opened) != 1 || !opened[0] {
		t.Errorf("notified of %v", opened)
	}
	for _, want := range []struct {
		family, label string
		value         float64
	}{
		{"k1s_plugin_calls_total", "Trap", tripAfter},
		{"k1s_plugin_calls_total", "Unavailable", 2},
		{"k1s_plugin_calls_total", "OK", 2},
		{"k1s_plugin_call_duration_seconds", "shop/tags", float64(calls)},
		{"k1s_plugin_result_cache_total", "hit", 1},
		{"k1s_plugin_result_cache_total", "miss", 2},
		{"k1s_plugin_breaker_state", "shop/tags", 2},
		{"k1s_plugin_swaps_total", "shop/tags", 1},
	} {
		if got := value(t, registry, want.family, want.label); got != want.value {
			t.Errorf("%s %s is %g, want %g", want.family, want.label, got, want.value)
		}
	}
	if n := len(spans.GetSpans()); n != calls {
		t.Errorf("%d spans of %d calls", n, calls)
	}
	if err := r.Close(t.Context()); err != nil || !g.closed.Load() {
		t.Errorf("close: %v; the guest is closed: %v", err, g.closed.Load())
	}
	s.Forget("shop/tags")
	if got := value(t, registry, "k1s_plugin_calls_total", "shop/tags"); got != 0 {
		t.Errorf("%g calls are still counted", got)
	}
}

// A new revision starts with a closed breaker and an empty cache.
func TestStack_Runner_revisions(t *testing.T) {
	t.Parallel()
	s, registry := newStack(t, nil)
	bad, healthy := s.Runner(everything(), &guest{answer: func(context.Context, plugin.Call) ([]byte, error) { return nil, failure(plugin.KindTrap) }})
	healthy()
	for range 2 * tripAfter {
		_, _ = bad.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile})
	}
	if got := value(t, registry, "k1s_plugin_breaker_state", "shop/tags"); got != 2 {
		t.Errorf("the breaker's state is %g", got)
	}
	good, healthy := s.Runner(everything(), echo())
	healthy()
	if _, err := good.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile}); err != nil {
		t.Errorf("got %v", err)
	}
	if got := value(t, registry, "k1s_plugin_breaker_state", "shop/tags"); got != 0 {
		t.Errorf("the breaker's state is %g", got)
	}
}

// Without a tracer, the Host of a guest is not wrapped.
func TestStack_Host(t *testing.T) {
	t.Parallel()
	s, _ := newStack(t, nil)
	host := struct{ plugin.Host }{}
	if got := s.Host(everything(), host); got != plugin.Host(host) {
		t.Errorf("got %T", got)
	}
}

// A successful call allocates nothing on the heap, whatever the decorators are.
func TestStack_Runner_allocations(t *testing.T) {
	s, _ := newStack(t, nil)
	for name, about := range map[string]plugin.Revision{"usual": {Plugin: "shop/tags", MaxInstances: 4}, "everything": everything()} {
		r, _ := s.Runner(about, silent())
		ctx, call := t.Context(), plugin.Call{Export: abi.ExportReconcile, Attempt: 1}
		if n := testing.AllocsPerRun(100, func() { _, _ = r.Call(ctx, call) }); n != 0 {
			t.Errorf("%s: %g allocations", name, n)
		}
	}
}

func silent() *guest {
	return &guest{answer: func(context.Context, plugin.Call) ([]byte, error) { return nil, nil }}
}

// BenchmarkStack measures the overhead of the decorators for a successful call.
func BenchmarkStack(b *testing.B) {
	s, _ := newStack(b, nil)
	call := plugin.Call{Export: abi.ExportReconcile, Attempt: 1}
	usual, _ := s.Runner(plugin.Revision{Plugin: "shop/tags", MaxInstances: 4}, silent())
	all, _ := s.Runner(everything(), silent())
	for name, r := range map[string]plugin.Runner{"none": silent(), "usual": usual, "everything": all} {
		b.Run(name, func(b *testing.B) {
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Call(ctx, call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
