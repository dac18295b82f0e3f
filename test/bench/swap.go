// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/measure"
)

const (
	// loadItems is how many Items are in the queue all the time. Each is requeued after a millisecond.
	loadItems = 200
	// swaps is how often the plugin's module is replaced.
	swaps = rounds
	// loadSettings make the Rust guest requeue each Item after a millisecond and log its name.
	loadSettings = `{"requeueAfterMillis":1,"log":true}`
)

// swapResult is the effect of swaps on the results of a plugin.
type swapResult struct {
	// gap is the median over the swaps of the longest time between two results, and quiet the same without a swap.
	// worst is the longest time of all swaps.
	gap, quiet, worst time.Duration
	// lost is how many Items that were created during a swap the plugin never saw, created how many were created.
	lost, created int
	perSecond     float64
}

// swapUnderLoad replaces the module of a running plugin while its queue is full and Items are created.
func (s *session) swapUnderLoad(ctx context.Context) (swapResult, error) {
	return s.swaps.get(func() (result swapResult, err error) {
		module, err := s.module("rust")
		if err != nil {
			return result, err
		}
		c, err := s.useCluster()
		if err != nil {
			return result, err
		}
		log, seen := newGuestLog()
		stop, err := s.startOperator(c, log)
		if err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, stop()) }()
		t, err := c.newTenant(ctx)
		if err != nil {
			return result, err
		}
		if err := t.fill(ctx, loadItems); err != nil {
			return result, err
		}
		if err := t.serve(ctx, "swapped", loadSettings, module.Bytes); err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, t.remove(context.WithoutCancel(ctx), "swapped")) }()
		return s.swapTimes(ctx, t, module, seen)
	})
}

// swapTimes does the swaps, and measures for the same time without a swap after each of them.
func (s *session) swapTimes(ctx context.Context, t tenant, module plugin.Module, seen *results) (result swapResult, err error) {
	var gaps, quiet []time.Duration
	seen.reset()
	for i := range swaps {
		s.log("swap %d of %d under load", i+1, swaps)
		start := time.Now()
		var stream newcomers
		stream.begin(ctx, t, i)
		next := plugin.NewModule(guest.Distinct(module.Bytes, i+1))
		if err := t.store(ctx, "swapped", next.Bytes); err != nil {
			return result, err
		}
		if err := t.await(ctx, "swapped", next.Digest); err != nil {
			return result, err
		}
		wait(ctx, 100*time.Millisecond) // for the last calls of the previous revision
		end := time.Now()
		gap := longestGap(seen.between(start, end))
		gaps = append(gaps, gap)
		result.worst = max(result.worst, gap)
		names, err := stream.end()
		if err != nil {
			return result, err
		}
		result.created += len(names)
		result.lost += missing(ctx, seen, names)

		// The same without a swap: as many bytes are written to a ConfigMap that no plugin uses, and Items are created.
		took := end.Sub(start)
		start = time.Now()
		stream = newcomers{}
		stream.begin(ctx, t, swaps+i)
		if err := t.store(ctx, "unrelated", next.Bytes); err != nil {
			return result, err
		}
		wait(ctx, took)
		times := seen.between(start, time.Now())
		quiet = append(quiet, longestGap(times))
		result.perSecond = float64(len(times)) / time.Since(start).Seconds()
		if _, err := stream.end(); err != nil {
			return result, err
		}
	}
	result.gap, result.quiet = measure.Median(gaps), measure.Median(quiet)
	return result, nil
}

// missing waits until the guest has logged all names, and returns how many it has not logged.
func missing(ctx context.Context, seen *results, names []string) (lost int) {
	_ = testenv.Poll(ctx, 10*time.Second, func(context.Context) error { // lost items are counted, not an error
		lost = 0
		for _, name := range names {
			if !seen.seen(name) {
				lost++
			}
		}
		if lost > 0 {
			return fmt.Errorf("%d of %d are not seen", lost, len(names))
		}
		return nil
	})
	return lost
}

// newcomers are Items that are created during a swap.
type newcomers struct {
	stop  context.CancelFunc
	done  sync.WaitGroup
	names []string
	err   error
}

func (n *newcomers) begin(ctx context.Context, t tenant, swap int) {
	ctx, n.stop = context.WithCancel(ctx)
	n.done.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 0; n.err == nil; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			name := fmt.Sprintf("swap-%d-%d", swap, i)
			if n.err = t.create(context.WithoutCancel(ctx), t.item(name)); n.err == nil {
				n.names = append(n.names, name)
			}
		}
	})
}

func (n *newcomers) end() ([]string, error) {
	n.stop()
	n.done.Wait()
	return n.names, n.err
}

// fill creates Items, and the Category that they refer to.
func (t tenant) fill(ctx context.Context, items int) error {
	category := &inventoryv1alpha1.Category{ObjectMeta: t.meta("laptops"), Spec: inventoryv1alpha1.CategorySpec{Name: "Laptops"}}
	objects := []client.Object{category}
	for i := range items {
		objects = append(objects, t.item(fmt.Sprintf("item-%04d", i)))
	}
	return t.create(ctx, objects...)
}

// item returns an Item of about the same size as that of package work.
func (t tenant) item(name string) *inventoryv1alpha1.Item {
	return &inventoryv1alpha1.Item{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.ns, Name: name, Labels: map[string]string{
			"app.kubernetes.io/managed-by": "importer", "app.kubernetes.io/part-of": "shop", "inventory.example.com/supplier": "acme",
		}},
		Spec: inventoryv1alpha1.ItemSpec{
			Name: "Laptop 14\" & dock", Category: "laptops", Quantity: new(int32(12)), Price: new(int64(149900)),
			Tags: []string{"new", "portable", "business", "reserved"},
			Description: "A laptop of 14 inches with 32 GiB of memory and 1 TiB of storage. It comes with a dock, a charger & a sleeve; " +
				"the keyboard's layout is chosen when it is ordered.\nThe battery lasts \"up to\" twelve hours: measured, not estimated.",
		},
	}
}

// wait waits for a duration, or until the context is done.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// swapRows returns the rows about replacing the module of a serving plugin.
func swapRows() section {
	return section{
		title: "Hot swap under load",
		note: fmt.Sprintf("A running operator with a real API server, all on this machine: %d Items are in the queue of the Rust plugin all the time, others "+
			"are created every 10 ms, and the module in its ConfigMap is replaced %d times.", loadItems, swaps),
		rows: []row{
			{
				name: "swap-gap", what: "longest time between two results of the plugin, median of the swaps", unit: "ms", seed: "~5 ms", target: atMost(5),
				measure: func(ctx context.Context, s *session) (float64, error) {
					r, err := s.swapUnderLoad(ctx)
					return r.gap.Seconds() * millis, err
				},
				note: func(s *session) string {
					r := s.swaps.value
					return fmt.Sprintf("under the same load without a swap %.1f ms, longest of all swaps %.1f ms, at %.0f results/s", r.quiet.Seconds()*millis, r.worst.Seconds()*millis, r.perSecond)
				},
			},
			{
				name: "swap-lost", what: "Items created during a swap that the plugin never saw", unit: "Items", target: atMost(0),
				measure: func(ctx context.Context, s *session) (float64, error) {
					r, err := s.swapUnderLoad(ctx)
					return float64(r.lost), err
				},
				note: func(s *session) string { return fmt.Sprintf("of %d created", s.swaps.value.created) },
			},
		},
	}
}
