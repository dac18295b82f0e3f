// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		measure: func(ctx context.Context, s *session) (float64, error) { return s.queueRate(ctx) },
	}
}

// queueRate measures how often a running operator calls the Rust guest for Items that the guest requeues after a
// millisecond.
func (s *session) queueRate(ctx context.Context) (rate float64, err error) {
	module, err := s.module("rust")
	if err != nil {
		return 0, err
	}
	c, err := s.useCluster()
	if err != nil {
		return 0, err
	}
	stop, err := s.startOperator(c, logr.Discard())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	t, err := c.newTenant(ctx)
	if err != nil {
		return 0, err
	}
	if err := t.fill(ctx, queueItems); err != nil {
		return 0, err
	}
	if err := t.serve(ctx, "queue", `{"requeueAfterMillis":1}`, module.Bytes); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, t.remove(context.WithoutCancel(ctx), "queue")) }()
	wait(ctx, 2*time.Second) // the API server comes to rest
	var rates []float64
	for i := range rounds {
		s.log("calls through the queue, round %d of %d", i+1, rounds)
		before, start := reconciles(t.ns+"/queue"), time.Now()
		wait(ctx, queueTurn)
		rates = append(rates, (reconciles(t.ns+"/queue")-before)/time.Since(start).Seconds())
	}
	if failures := count("controller_runtime_reconcile_errors_total", t.ns+"/queue"); failures > 0 {
		return 0, fmt.Errorf("%.0f reconciles failed", failures)
	}
	return measure.Median(rates), nil
}

// reconciles returns how many reconciles the controller of a plugin has done.
func reconciles(controller string) float64 {
	return count("controller_runtime_reconcile_total", controller)
}

// count returns the sum of a counter of controller-runtime for one controller.
func count(name, controller string) (sum float64) {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return 0 // the results then show that no round counted anything
	}
	for _, f := range families {
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

// writeResult is the time from the creation of an object to the plugin's write.
type writeResult struct{ p50, p99 time.Duration }

// writeTimes creates Categories one after another, and waits for each until a watch shows the annotation that the
// plugin writes.
func (s *session) writeTimes(ctx context.Context) (writeResult, error) {
	return s.writes.get(func() (result writeResult, err error) {
		module, err := os.ReadFile(filepath.Join(s.root, "test", "conformance", "testdata", "annotator.wasm"))
		if err != nil {
			return result, err
		}
		c, err := s.useCluster()
		if err != nil {
			return result, err
		}
		stop, err := s.startOperator(c, logr.Discard())
		if err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, stop()) }()
		t, err := c.newTenant(ctx)
		if err != nil {
			return result, err
		}
		if err := t.serve(ctx, "annotator", "{}", module); err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, t.remove(context.WithoutCancel(ctx), "annotator")) }()
		s.log("%d changes through the whole path", written)
		times, err := t.writeAll(ctx)
		if err != nil {
			return result, err
		}
		return writeResult{p50: measure.Percentile(times, 50), p99: measure.Percentile(times, 99)}, nil
	})
}

func (t tenant) writeAll(ctx context.Context) ([]time.Duration, error) {
	watcher, err := client.NewWithWatch(t.Config, client.Options{Scheme: t.Scheme})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w, err := watcher.Watch(ctx, &inventoryv1alpha1.CategoryList{}, client.InNamespace(t.ns))
	if err != nil {
		return nil, err
	}
	defer w.Stop()
	var times []time.Duration
	for i := range written {
		name := fmt.Sprintf("category-%03d", i)
		start := time.Now()
		err := t.create(ctx, &inventoryv1alpha1.Category{ObjectMeta: t.meta(name), Spec: inventoryv1alpha1.CategorySpec{Name: name}})
		if err != nil {
			return nil, err
		}
		if err := awaitSeen(ctx, w, name); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
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
	path := func(name, what string, pick func(writeResult) time.Duration) row {
		return row{
			name: name, what: what, unit: "ms",
			measure: func(ctx context.Context, s *session) (float64, error) {
				r, err := s.writeTimes(ctx)
				return pick(r).Seconds() * millis, err
			},
		}
	}
	return section{
		title: "The whole path",
		note: fmt.Sprintf("API server, informer, queue, guest, API server: from before a Category is created until a watch shows what the plugin has patched, "+
			"%d times one after another. The embedded controller writes its status meanwhile.", written),
		rows: []row{
			path("path-write-p50", "change to the plugin's write, p50", func(r writeResult) time.Duration { return r.p50 }),
			path("path-write-p99", "change to the plugin's write, p99", func(r writeResult) time.Duration { return r.p99 }),
		},
	}
}
