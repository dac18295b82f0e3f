// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// swapUnderLoad replaces the module of a running plugin while its queue is full and Items are created. After each swap
// it measures for the same time without one.
func (s *session) swapUnderLoad() (result swapResult) {
	module := s.module("rust")
	log, seen := newGuestLog()
	defer s.startOperator(log)()
	t := s.cluster().newTenant()
	t.fill(loadItems)
	defer t.serve("swapped", loadSettings, module.Bytes)()

	// phase writes the module to a ConfigMap while Items are created, and waits. It returns the times of the plugin's
	// results meanwhile, the names of the Items and how long it took.
	phase := func(name, configMap string, module []byte, wait func()) (times []time.Time, names []string, took time.Duration) {
		start, created := time.Now(), t.createItems(name)
		t.store(configMap, module)
		wait()
		took = time.Since(start)
		return seen.between(start, start.Add(took)), created(), took
	}
	var gaps, quiet []time.Duration
	for i := range swaps {
		s.log("swap %d of %d under load", i+1, swaps)
		next := plugin.NewModule(guest.Distinct(module.Bytes, i+1))
		times, names, took := phase(fmt.Sprintf("swap-%d", i), "swapped", next.Bytes, func() {
			t.await("swapped", next.Digest)
			s.wait(100 * time.Millisecond) // for the last calls of the previous revision
		})
		gaps = append(gaps, longestGap(times))
		result.created += len(names)
		result.lost += s.missing(seen, names)

		// The same without a swap: no plugin uses this ConfigMap.
		times, _, took = phase(fmt.Sprintf("quiet-%d", i), "unrelated", next.Bytes, func() { s.wait(took) })
		quiet = append(quiet, longestGap(times))
		result.perSecond = float64(len(times)) / took.Seconds()
	}
	result.gap, result.quiet, result.worst = measure.Median(gaps), measure.Median(quiet), slices.Max(gaps)
	return result
}

// missing waits until the guest has logged all names, and returns how many it has not logged.
func (s *session) missing(seen *results, names []string) (lost int) {
	_ = testenv.Poll(s.ctx, 10*time.Second, func(context.Context) error { // lost items are counted, not an error
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

// createItems creates an Item every 10 ms, until stop is called, which returns their names.
func (t tenant) createItems(prefix string) (stop func() []string) {
	var names []string
	wait := inBackground(func(ctx context.Context) error {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			name := fmt.Sprintf("%s-%d", prefix, len(names))
			if err := try(func() { t.create(t.item(name)) }); err != nil {
				return err
			}
			names = append(names, name)
		}
	})
	return func() []string {
		wait()
		return names
	}
}

// fill creates Items, and the Category that they refer to.
func (t tenant) fill(items int) {
	t.create(&inventoryv1alpha1.Category{ObjectMeta: t.meta("laptops"), Spec: inventoryv1alpha1.CategorySpec{Name: "Laptops"}})
	for i := range items {
		t.create(t.item(fmt.Sprintf("item-%04d", i)))
	}
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

// swapRows returns the rows about replacing the module of a serving plugin.
func swapRows() section {
	return section{
		title: "Hot swap under load",
		note: fmt.Sprintf("A running operator with a real API server, all on this machine: %d Items are in the queue of the Rust plugin all the time, others "+
			"are created every 10 ms, and the module in its ConfigMap is replaced %d times.", loadItems, swaps),
		rows: []row{
			{
				name: "swap-gap", what: "longest time between two results of the plugin, median of the swaps", unit: "ms", seed: "~5 ms", target: atMost(5),
				value: resultOf(func(s *session) float64 { return s.swaps().gap.Seconds() * millis }),
				note: func(s *session) string {
					r := s.swaps()
					return fmt.Sprintf("under the same load without a swap %.1f ms, longest of all swaps %.1f ms, at %.0f results/s", r.quiet.Seconds()*millis, r.worst.Seconds()*millis, r.perSecond)
				},
			},
			{
				name: "swap-lost", what: "Items created during a swap that the plugin never saw", unit: "Items", target: atMost(0),
				value: resultOf(func(s *session) float64 { return float64(s.swaps().lost) }),
				note:  func(s *session) string { return fmt.Sprintf("of %d created", s.swaps().created) },
			},
		},
	}
}
