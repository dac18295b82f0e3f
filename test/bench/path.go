// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/test/bench/measure"
)

const (
	// queueItems is how many Items are in the queue all the time, and queueTurn is how long a round counts their calls.
	queueItems = 1000
	queueTurn  = 500 * time.Millisecond
	// written is how many Categories are created, one after another.
	written = 300
	// seenAnnotation is the annotation that the plugin of the conformance tests writes.
	seenAnnotation = "conformance.k1s.io/seen"
)

// queueRow returns the row about the calls per second of a plugin with the operator's queue and cache.
func queueRow() row {
	return row{
		name: "calls-queue-rust", what: "operator: queue, cache, Rust guest, cached read", unit: "/s", seed: "> 2,000", target: atLeast(10_000),
		value: resultOf((*session).queueRate),
	}
}

// queueRate measures how often a running operator calls the Rust guest for Items that the guest requeues after a
// millisecond.
func (s *session) queueRate() float64 {
	module := s.module("rust")
	defer s.startOperator(logr.Discard())()
	t := s.cluster().newTenant()
	t.fill(queueItems)
	defer t.serve("queue", `{"requeueAfterMillis":1}`, module.Bytes)()
	s.wait(2 * time.Second) // the API server comes to rest
	var rates []float64
	for i := range rounds {
		s.log("calls through the queue, round %d of %d", i+1, rounds)
		before, start := count("controller_runtime_reconcile_total", t.ns+"/queue"), time.Now()
		s.wait(queueTurn)
		rates = append(rates, (count("controller_runtime_reconcile_total", t.ns+"/queue")-before)/time.Since(start).Seconds())
	}
	if failures := count("controller_runtime_reconcile_errors_total", t.ns+"/queue"); failures > 0 {
		check(fmt.Errorf("%.0f reconciles failed", failures))
	}
	return measure.Median(rates)
}

// count returns the sum of a counter of controller-runtime for one controller.
func count(name, controller string) (sum float64) {
	for _, f := range must(metrics.Registry.Gather()) {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "controller" && l.GetValue() == controller {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

// writeTimes creates Categories one after another, and waits for each until a watch shows the annotation that the
// plugin writes.
func (s *session) writeTimes() (times []time.Duration) {
	module := s.file("test", "conformance", "testdata", "annotator.wasm")
	defer s.startOperator(logr.Discard())()
	t := s.cluster().newTenant()
	defer t.serve("annotator", "{}", module)()
	s.log("%d changes through the whole path", written)
	watcher := must(client.NewWithWatch(t.Config, client.Options{Scheme: t.Scheme}))
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	w := must(watcher.Watch(ctx, &inventoryv1alpha1.CategoryList{}, client.InNamespace(t.ns)))
	defer w.Stop()
	for i := range written {
		name := fmt.Sprintf("category-%03d", i)
		start := time.Now()
		t.create(&inventoryv1alpha1.Category{ObjectMeta: t.meta(name), Spec: inventoryv1alpha1.CategorySpec{Name: name}})
		check(awaitSeen(ctx, w, name))
		times = append(times, time.Since(start))
	}
	return times
}

func awaitSeen(ctx context.Context, w watch.Interface, name string) error {
	for {
		select {
		case e, ok := <-w.ResultChan():
			if !ok {
				return errors.New("the watch has ended")
			}
			if c, is := e.Object.(*inventoryv1alpha1.Category); is && c.Name == name && c.Annotations[seenAnnotation] == "yes" {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("the plugin has not written to %q: %w", name, ctx.Err())
		}
	}
}

// pathRows returns the rows about the whole path.
func pathRows() section {
	path := func(p int) row {
		return row{
			name: fmt.Sprintf("path-write-p%d", p), what: fmt.Sprintf("change to the plugin's write, p%d", p), unit: "ms",
			value: resultOf(func(s *session) float64 { return measure.Percentile(s.writes(), p).Seconds() * millis }),
		}
	}
	return section{
		title: "The whole path",
		note: fmt.Sprintf("API server, informer, queue, guest, API server: from before a Category is created until a watch shows what the plugin has patched, "+
			"%d times one after another. The embedded controller writes its status meanwhile.", written),
		rows: []row{path(50), path(99)},
	}
}
