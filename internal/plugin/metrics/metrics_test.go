// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// fakeRunner is a Runner that always returns the same result.
type fakeRunner struct{ err error }

func (a fakeRunner) Call(context.Context, plugin.Call) ([]byte, error) { return nil, a.err }
func (fakeRunner) Close(context.Context) error                         { return nil }

func newMetrics(t *testing.T) (*Metrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	return m, registry
}

// allSeries returns every series of the registry as "name{labels} value". For histograms the value is the count.
func allSeries(t *testing.T, g prometheus.Gatherer) []string {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			all = append(all, fmt.Sprintf("%s{%s} %g", f.GetName(), strings.Join(labels, ","), value))
		}
	}
	slices.Sort(all)
	return all
}

func expectSeries(t *testing.T, g prometheus.Gatherer, want ...string) {
	t.Helper()
	got := allSeries(t, g)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("there is no %s among\n%s", w, strings.Join(got, "\n"))
		}
	}
}

// countOf counts a family's series.
func countOf(t *testing.T, g prometheus.Gatherer, family string) (n int) {
	t.Helper()
	for _, s := range allSeries(t, g) {
		if strings.HasPrefix(s, family+"{") {
			n++
		}
	}
	return n
}

func revision(version string) plugin.Revision {
	return plugin.Revision{Plugin: "shop/tags", Digest: plugin.DigestOf([]byte(version)), Metadata: plugin.Metadata{Version: version}}
}

func TestFamilies(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range Families() {
		if seen[f.Name] || !strings.HasPrefix(f.Name, "k1s_") || !strings.HasSuffix(f.Help, ".") {
			t.Errorf("%s: is there twice, has another prefix, or no sentence as help: %q", f.Name, f.Help)
		}
		seen[f.Name] = true
		if (f.Type == Counter) != strings.HasSuffix(f.Name, "_total") {
			t.Errorf("%s is a %s", f.Name, f.Type)
		}
		if (f.Type == Histogram) != (len(f.Buckets) > 0) || !slices.IsSorted(f.Buckets) {
			t.Errorf("%s is a %s with buckets %v", f.Name, f.Type, f.Buckets)
		}
	}
	registry := prometheus.NewPedanticRegistry()
	if _, err := New(registry); err != nil {
		t.Fatal(err)
	}
	if _, err := New(registry); err == nil || !strings.Contains(err.Error(), nameCalls) {
		t.Errorf("twice in one registry: got %v", err)
	}
}

func TestRevision_calls(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	r := m.Revision(revision("1"))
	call := func(export string, err error) {
		t.Helper()
		if _, got := r.Runner(fakeRunner{err}).Call(t.Context(), plugin.Call{Export: export}); !errors.Is(got, err) {
			t.Errorf("got %v, want %v", got, err)
		}
	}
	for range 3 {
		call(abi.ExportReconcile, nil)
	}
	for _, kind := range plugin.Kinds() {
		call(abi.ExportReconcile, &plugin.CallError{Kind: kind, Err: errors.New("of the test")})
	}
	call(abi.ExportReconcile, fmt.Errorf("wrapped: %w", &plugin.CallError{Kind: plugin.KindTrap}))
	call(abi.ExportReconcile, errors.New("another"))
	call(abi.ExportReconcile, &plugin.CallError{Kind: "Strange"})
	for i := range 100 { // all unknown names share one series
		call(fmt.Sprintf("export%d", i), nil)
	}
	expectSeries(t, registry,
		"k1s_plugin_calls_total{export=reconcile,plugin=shop/tags,result=OK} 3",
		"k1s_plugin_calls_total{export=reconcile,plugin=shop/tags,result=Trap} 2",
		"k1s_plugin_calls_total{export=reconcile,plugin=shop/tags,result=Unavailable} 1",
		"k1s_plugin_calls_total{export=reconcile,plugin=shop/tags,result=Fuel} 1",
		"k1s_plugin_calls_total{export=reconcile,plugin=shop/tags,result=Error} 2",
		"k1s_plugin_calls_total{export=other,plugin=shop/tags,result=OK} 100",
		"k1s_plugin_call_duration_seconds{export=reconcile,plugin=shop/tags} 16",
	)
	if n := countOf(t, registry, nameCalls); n != len(plugin.Kinds())+3 {
		t.Errorf("%d series, want one for each kind, OK, Error, and one of the other exports", n)
	}
}

func TestMetrics_engine(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	m.Begin("shop/tags")
	m.Fuel("shop/tags", abi.ExportReconcile, 1200)
	m.Fuel("shop/tags", abi.ExportReconcile, 300)
	m.Instances("shop/tags", 2)
	m.Instances("shop/tags", -1)
	m.Memory("shop/tags", 131072)
	m.Memory("shop/tags", -65536)
	m.Instantiated("shop/tags", plugin.InstantiatedFresh, time.Millisecond)
	m.Instantiated("shop/tags", plugin.InstantiatedImage, time.Millisecond)
	m.Instantiated("shop/tags", plugin.InstantiatedImage, time.Millisecond)
	m.Compiled(time.Second, false)
	m.Limited("shop/tags", "rate")
	m.RolledBack("shop/tags")
	expectSeries(t, registry,
		"k1s_plugin_fuel_instructions_total{export=reconcile,plugin=shop/tags} 1500",
		"k1s_plugin_instances{plugin=shop/tags} 1",
		"k1s_plugin_memory_bytes{plugin=shop/tags} 65536",
		"k1s_plugin_instantiate_duration_seconds{how=fresh,plugin=shop/tags} 1",
		"k1s_plugin_instantiate_duration_seconds{how=image,plugin=shop/tags} 2",
		"k1s_compile_duration_seconds{cached=false} 1",
		"k1s_plugin_requests_limited_total{layer=rate,plugin=shop/tags} 1",
		"k1s_plugin_rollbacks_total{plugin=shop/tags} 1",
	)
}

// Pulls that downloaded something are timed apart from polls. What ended others is their reason, not their duration.
func TestMetrics_Pulled(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	m.Begin("shop/tags")
	m.Pulled("shop/tags", pluginsv1alpha1.ReasonSucceeded, 10, 2, time.Second)
	m.Pulled("shop/tags", pluginsv1alpha1.ReasonSucceeded, 0, 3, time.Millisecond)
	m.Pulled("shop/tags", pluginsv1alpha1.ReasonSucceeded, 0, 3, time.Millisecond)
	m.Pulled("shop/tags", pluginsv1alpha1.ReasonNoModule, 5, 0, time.Second)
	m.Pulled("shop/gone", pluginsv1alpha1.ReasonSucceeded, 5, 0, time.Second)
	expectSeries(t, registry,
		"k1s_plugin_pulls_total{plugin=shop/tags,result=Succeeded} 3",
		"k1s_plugin_pulls_total{plugin=shop/tags,result=NoModule} 1",
		"k1s_plugin_pull_duration_seconds{cached=false,plugin=shop/tags} 1",
		"k1s_plugin_pull_duration_seconds{cached=true,plugin=shop/tags} 2",
		"k1s_plugin_pulled_bytes_total{plugin=shop/tags} 15",
		"k1s_plugin_pull_cache_hits_total{plugin=shop/tags} 8",
	)
	if n := countOf(t, registry, namePulls); n != 2 {
		t.Errorf("%d series, want those of one plugin", n)
	}
}

// One revision serves. A replaced revision no longer sets the plugin's gauges.
func TestRevision_SetServing(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	first, second := m.Revision(revision("1")), m.Revision(revision("2\xff"))
	first.SetServing()
	first.Breaker(BreakerOpen)
	digest := plugin.DigestOf([]byte("1")).String()
	expectSeries(t, registry,
		"k1s_plugin_revision_info{digest="+digest+",plugin=shop/tags,version=1} 1",
		"k1s_plugin_breaker_state{plugin=shop/tags} 2",
		"k1s_plugin_breaker_transitions_total{plugin=shop/tags,state=open} 1",
		"k1s_plugin_swaps_total{plugin=shop/tags} 1",
	)
	second.SetServing()
	first.Breaker(BreakerHalfOpen) // the last calls of the replaced revision
	expectSeries(t, registry,
		"k1s_plugin_revision_info{digest="+plugin.DigestOf([]byte("2\xff")).String()+",plugin=shop/tags,version=2\uFFFD} 1",
		"k1s_plugin_breaker_state{plugin=shop/tags} 0",
		"k1s_plugin_breaker_transitions_total{plugin=shop/tags,state=half-open} 1",
		"k1s_plugin_swaps_total{plugin=shop/tags} 2",
	)
	if n := countOf(t, registry, nameRevision); n != 1 {
		t.Errorf("%d revisions serve", n)
	}
	first.SetServing() // rolled back, with the previous state of its breaker
	expectSeries(t, registry, "k1s_plugin_breaker_state{plugin=shop/tags} 1")
	m.Stops("shop/tags")
	expectSeries(t, registry, "k1s_plugin_breaker_state{plugin=shop/tags} 0", "k1s_plugin_swaps_total{plugin=shop/tags} 3")
	if n := countOf(t, registry, nameRevision); n != 0 {
		t.Errorf("%d revisions serve a plugin that is stopped", n)
	}
}

// use makes a plugin create every series that it can have.
func use(ctx context.Context, m *Metrics, r *Revision, name string) {
	for _, export := range exports() {
		_, _ = r.Runner(fakeRunner{}).Call(ctx, plugin.Call{Export: export})
		for _, kind := range append(plugin.Kinds(), "") {
			_, _ = r.Runner(fakeRunner{&plugin.CallError{Kind: kind, Err: errors.New("x")}}).Call(ctx, plugin.Call{Export: export})
		}
		m.Fuel(name, export, 1)
	}
	r.SetServing()
	r.Cache(true)
	r.Cache(false)
	r.Batch(2)
	for s := BreakerClosed; s <= BreakerOpen; s++ {
		r.Breaker(s)
	}
	m.Instances(name, 1)
	m.Memory(name, 1)
	m.Instantiated(name, plugin.InstantiatedFresh, 1)
	m.Instantiated(name, plugin.InstantiatedImage, 1)
	m.Limited(name, "limit")
	m.Limited(name, "rate")
	m.Decided(name, "denied", "rbac")
	m.Suspicious(name)
	m.RolledBack(name)
	m.SelfTriggered(name)
	m.Pulled(name, pluginsv1alpha1.ReasonSucceeded, 10, 2, time.Second)
	m.Pulled(name, pluginsv1alpha1.ReasonSucceeded, 0, 3, time.Millisecond)
	m.Pulled(name, pluginsv1alpha1.ReasonNotWasm, 5, 0, time.Second)
	for _, webhook := range []string{WebhookValidate, WebhookMutate, "another"} {
		for _, result := range append(slices.Clone(admissionResults), "another") {
			m.AdmissionRequest(name, webhook, result, time.Millisecond)
		}
	}
}

// Deleting a plugin removes all of its series, and no late call creates one again.
func TestMetrics_Forget(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	m.Queues(func() map[string]int { return map[string]int{"shop/stays": 3} })
	removed, stays := m.Revision(revision("1")), m.Revision(plugin.Revision{Plugin: "shop/stays"})
	use(t.Context(), m, stays, "shop/stays")
	before := allSeries(t, registry)
	if !slices.ContainsFunc(before, func(s string) bool { return strings.Contains(s, "shop/tags") }) {
		t.Fatal("the plugin has no series to delete")
	}
	// Most series of this plugin would be created only after the plugin is gone.
	_, _ = removed.Runner(fakeRunner{}).Call(t.Context(), plugin.Call{Export: abi.ExportReconcile})
	m.Forget("shop/tags")
	use(t.Context(), m, removed, "shop/tags")
	m.Stops("shop/tags")
	m.Forget("shop/tags")
	after := allSeries(t, registry)
	for _, s := range after {
		if strings.Contains(s, "shop/tags") {
			t.Errorf("%s is still there", s)
		}
	}
	for _, f := range Families() {
		if slices.Contains(f.Labels, labelPlugin) && !slices.ContainsFunc(after, func(s string) bool { return strings.HasPrefix(s, f.Name+"{") }) {
			t.Errorf("%s of the other plugin is gone, or was never there", f.Name)
		}
	}
	// A new plugin of the same name starts at zero.
	m.Begin("shop/tags")
	expectSeries(t, registry, "k1s_plugin_instances{plugin=shop/tags} 0", "k1s_plugin_swaps_total{plugin=shop/tags} 0")
}

// Whatever a plugin does, the number of its series is limited.
func TestMetrics_cardinality(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	r := m.Revision(revision("1"))
	use(t.Context(), m, r, "shop/tags")
	n := len(allSeries(t, registry))
	const most = 170
	if n > most {
		t.Errorf("%d series, want at most %d", n, most)
	}
	for i := range 20 {
		use(t.Context(), m, m.Revision(revision(fmt.Sprint(i))), "shop/tags")
	}
	if got := len(allSeries(t, registry)); got != n {
		t.Errorf("20 revisions made %d series of %d", got, n)
	}
}

func TestMetrics_concurrent(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	var wg sync.WaitGroup
	for i := range 8 {
		name := fmt.Sprintf("shop/p%d", i)
		wg.Go(func() {
			for range 20 {
				r := m.Revision(plugin.Revision{Plugin: name})
				use(t.Context(), m, r, name)
				m.Forget(name)
			}
		})
		wg.Go(func() {
			for range 200 {
				m.Fuel(name, abi.ExportReconcile, 1)
				m.Instances(name, 1)
				m.Limited(name, "rate")
			}
		})
	}
	wg.Wait()
	// What is counted after the lookup of a plugin and its end is dropped, and leaves no series.
	for _, s := range allSeries(t, registry) {
		if strings.Contains(s, "shop/") {
			t.Errorf("%s is still there", s)
		}
	}
}
