// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/decorate"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
	"github.com/k1s-io/k1s/internal/plugin/tracing"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
	"github.com/k1s-io/k1s/internal/wasm"
)

// gate is a Host that blocks a guest until it is released.
type gate struct {
	plugin.Host
	entered, unblock chan struct{}
}

func (g *gate) Get(ctx context.Context, _ abi.ObjectKey) ([]byte, error) {
	g.entered <- struct{}{}
	select {
	case <-g.unblock:
		return []byte("{}"), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// decorated loads a fixture with all decorators of the operator, and with one instance.
func decorated(t *testing.T, name string, host plugin.Host, tracer *tracing.Tracer) (plugin.Runner, *prometheus.Registry) {
	t.Helper()
	bytes := testfile.Read(t, "testdata", name+".wasm")
	registry := prometheus.NewPedanticRegistry()
	measured, err := metrics.New(registry)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.New(t.Context(), wasm.Options{Log: logr.Discard(), Metrics: measured})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close(context.Background()) })
	module := plugin.NewModule(bytes)
	limits := plugin.Limits{MaxMemoryPages: 64, CallTimeout: time.Minute, MaxInstances: 1, IdleTimeout: time.Hour}
	metadata, err := engine.Describe(t.Context(), module, limits)
	if err != nil {
		t.Fatal(err)
	}
	about := plugin.Revision{Plugin: "test/" + name, Digest: module.Digest, Metadata: metadata, MaxInstances: limits.MaxInstances}
	stack := decorate.NewStack(measured, tracer)
	stack.Begin(about.Plugin)
	runner, _, err := engine.Load(t.Context(), plugin.LoadRequest{
		Name: about.Plugin, Module: module, Settings: []byte("{}"), Limits: limits, Host: stack.Host(about, host),
	})
	if err != nil {
		t.Fatal(err)
	}
	runner, _ = stack.Runner(about, runner)
	t.Cleanup(func() { _ = runner.Close(context.Background()) })
	return runner, registry
}

// count returns the sum of a family's counters that have all the given label values.
func count(t *testing.T, g prometheus.Gatherer, family string, labels ...string) (sum float64) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			matches := f.GetName() == family
			for _, want := range labels {
				has := false
				for _, l := range m.GetLabel() {
					has = has || l.GetValue() == want
				}
				matches = matches && has
			}
			if matches {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

// Replies are cached only where the module allows it.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	runner, registry := decorated(t, "deterministic", nil, nil)
	ask := func(export, input string) string {
		reply, err := runner.Call(t.Context(), plugin.Call{Export: export, Input: []byte(input)})
		if err != nil {
			return err.Error()
		}
		return string(reply)
	}
	var got []string
	for _, call := range [][2]string{
		{abi.ExportValidateCreate, "one"}, {abi.ExportValidateCreate, "one"}, // 1, cached
		{abi.ExportValidateCreate, "two"},                              // 2
		{abi.ExportSetDefaults, "one"}, {abi.ExportSetDefaults, "one"}, // 3, cached
		{abi.ExportValidateCreate, "i"}, {abi.ExportValidateCreate, "i"}, // 4, a denial, cached
		{abi.ExportValidateCreate, "c"}, {abi.ExportValidateCreate, "c"}, // 5 and 6, another error
		{abi.ExportReconcile, "one"}, {abi.ExportReconcile, "one"}, // 7 and 8, which have side effects
		{abi.ExportValidateCreate, "one"}, // still cached
	} {
		got = append(got, ask(call[0], call[1]))
	}
	want := []string{
		"1", "1", "2", "3", "3",
		"guest validate_create answered Invalid: 4", "guest validate_create answered Invalid: 4",
		"guest validate_create answered Conflict: 5", "guest validate_create answered Conflict: 6",
		`{"requeueAfterMillis":7}`, `{"requeueAfterMillis":8}`, "1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if hits := count(t, registry, "k1s_plugin_result_cache_total", "hit"); hits != 4 {
		t.Errorf("%g hits", hits)
	}
}

// The reply of admit may depend on the user, and that of validate_delete on the other objects in the cluster.
func TestDeterministic_exports(t *testing.T) {
	t.Parallel()
	for export, remembered := range map[string]bool{
		abi.ExportValidateCreate: true, abi.ExportValidateUpdate: true, abi.ExportSetDefaults: true,
		abi.ExportValidateDelete: false, abi.ExportAdmit: false, abi.ExportReconcile: false,
	} {
		t.Run(export, func(t *testing.T) {
			t.Parallel()
			runner, _ := decorated(t, "deterministic", nil, nil)
			var replies [2]string
			for i := range replies {
				reply, err := runner.Call(t.Context(), plugin.Call{Export: export, Input: []byte("one")})
				if err != nil {
					t.Fatal(err)
				}
				replies[i] = string(reply)
			}
			if same := replies[0] == replies[1]; same != remembered {
				t.Errorf("got %q", replies)
			}
		})
	}
}

// Waiting requests are joined, and each gets its own result.
func TestBatcher(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		objects []string
		want    map[string]string // the requeue of each object, or its error
		batches float64           // number of batches sent
	}{
		"joined": {
			objects: []string{"a", "b", "c"}, batches: 1,
			want: map[string]string{"a": "7", "b": "7", "c": "7"},
		},
		"at most eight": {
			objects: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, batches: 2,
			want: map[string]string{"a": "7", "b": "7", "c": "7", "d": "7", "e": "7", "f": "7", "g": "7", "h": "7", "i": "7", "j": "7"},
		},
		"one is denied": {
			objects: []string{"a", "reject", "c"}, batches: 1,
			want: map[string]string{"a": "7", "reject": "guest reconcile_batch answered Invalid: invalid", "c": "7"},
		},
		"one is broken": {
			objects: []string{"a", "broken", "c"}, batches: 1,
			want: map[string]string{"a": "5", "broken": "Trap", "c": "5"},
		},
		"a result is missing": {
			objects: []string{"a", "short", "c"}, batches: 1,
			want: map[string]string{"a": "5", "short": "5", "c": "5"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &gate{entered: make(chan struct{}), unblock: make(chan struct{})}
			runner, registry := decorated(t, "batcher", g, nil)
			var wg sync.WaitGroup
			wg.Go(func() {
				if got := end(t.Context(), runner, "hold"); got != "5" {
					t.Errorf("alone: got %s", got)
				}
			})
			<-g.entered
			var mu sync.Mutex
			got := map[string]string{}
			for _, name := range tt.objects {
				ctx := &waiter{Context: t.Context(), waits: make(chan struct{})}
				wg.Go(func() {
					how := end(ctx, runner, name)
					mu.Lock()
					defer mu.Unlock()
					got[name] = how
				})
				<-ctx.waits
			}
			close(g.unblock)
			wg.Wait()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if n := count(t, registry, "k1s_plugin_batch_size"); n != tt.batches {
				t.Errorf("%g batches, want %g", n, tt.batches)
			}
			if n := count(t, registry, "k1s_plugin_calls_total", "reconcile_batch"); n != tt.batches {
				t.Errorf("%g calls of reconcile_batch are counted, want %g", n, tt.batches)
			}
			if n := count(t, registry, "k1s_plugin_calls_total", "reconcile"); n != float64(1+len(tt.objects)) {
				t.Errorf("%g calls of reconcile are counted, want one for each object", n)
			}
		})
	}
}

// The spans of host function calls are children of the call's span, through the engine.
func TestBatcher_spans(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	g := &gate{entered: make(chan struct{}, 1), unblock: make(chan struct{})}
	close(g.unblock)
	runner, _ := decorated(t, "batcher", g, tracing.New(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))))
	if got := end(t.Context(), runner, "hold"); got != "5" {
		t.Errorf("got %s", got)
	}
	all := spans.GetSpans()
	if len(all) != 2 || all[0].Name != "host k1s_client_get" || all[1].Name != "guest reconcile" {
		t.Fatalf("got %v", all)
	}
	if all[0].Parent.SpanID() != all[1].SpanContext.SpanID() {
		t.Error("the request is not below the call")
	}
}

// waiter is a context that signals when its Done channel is requested: the call is then in the queue.
type waiter struct {
	context.Context
	once  sync.Once
	waits chan struct{}
}

func (w *waiter) Done() <-chan struct{} {
	w.once.Do(func() { close(w.waits) })
	return w.Context.Done()
}

// end reconciles an object and returns its requeue or its error.
func end(ctx context.Context, runner plugin.Runner, name string) string {
	result, err := plugin.Reconcile(ctx, runner, abi.ReconcileRequest{
		ObjectKey: abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: "shop", Name: name}, Attempt: 1,
	})
	switch {
	case plugin.KindOf(err) == plugin.KindGuest:
		return err.Error()
	case err != nil:
		return string(plugin.KindOf(err))
	}
	return fmt.Sprint(result.RequeueAfterMillis)
}
