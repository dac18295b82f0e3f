// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// warm is the minimum age of an operator whose memory is compared: before that, it is still starting.
	warm = 15 * time.Second
	// growth and slack limit the memory in the last third of a run relative to that in the first third.
	growth, slack = 1.5, 50 << 20
	// goroutineGrowth and goroutineSlack do the same for goroutines.
	goroutineGrowth, goroutineSlack = 1.5, 100
)

// sampled is a reading with the time at which it was taken.
type sampled struct {
	reading
	at time.Duration
}

// meter collects readings and failures.
type meter struct {
	start time.Time

	mu       sync.Mutex
	samples  []sampled
	failures []string
}

func (m *meter) fail(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failures = append(m.failures, fmt.Sprintf(format, args...))
}

func (m *meter) problems() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.failures)
}

func (m *meter) add(r reading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, sampled{reading: r, at: time.Since(m.start)})
}

// all returns the samples so far.
func (m *meter) all() []sampled {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.samples)
}

// middle returns the minimum, the median and the maximum.
func middle(numbers []float64) (least, median, largest float64) {
	if len(numbers) == 0 {
		return 0, 0, 0
	}
	slices.Sort(numbers)
	return numbers[0], numbers[len(numbers)/2], numbers[len(numbers)-1]
}

func pick(samples []sampled, value func(sampled) float64) (out []float64) {
	for _, s := range samples {
		out = append(out, value(s))
	}
	return out
}

func resident(s sampled) float64   { return float64(s.resident) }
func goroutines(s sampled) float64 { return float64(s.goroutines) }

// flat compares the last third of the samples with the first third, and returns an error if memory or goroutines grew.
// It uses only samples of warm operators.
func (m *meter) flat() error {
	samples := slices.DeleteFunc(m.all(), func(s sampled) bool { return s.age < warm })
	third := len(samples) / 3
	if third == 0 {
		return errors.New("no operator lived long enough for its memory to be compared: take a longer --duration or --kill-every")
	}
	var errs []error
	for _, what := range []struct {
		name, unit            string
		value                 func(sampled) float64
		growth, slack, divide float64
	}{
		{"memory", "MiB", resident, growth, slack, 1 << 20},
		{"goroutines", "", goroutines, goroutineGrowth, goroutineSlack, 1},
	} {
		_, first, _ := middle(pick(samples[:third], what.value))
		_, last, _ := middle(pick(samples[len(samples)-third:], what.value))
		if last > first*what.growth+what.slack {
			errs = append(errs, fmt.Errorf("%s grew from %.0f to %.0f %s", what.name, first/what.divide, last/what.divide, what.unit))
		}
	}
	return errors.Join(errs...)
}

// sample takes a reading. There is none while the operator does not respond, such as after it was killed.
func (s *soak) sample(context.Context) {
	if r, ok := s.manager.read(); ok {
		s.meter.add(r)
	}
}

// report prints the current state.
func (s *soak) report(context.Context) {
	last := sampled{}
	if all := s.meter.all(); len(all) > 0 {
		last = all[len(all)-1]
	}
	s.say("%5d changes (%d failed), %4d swaps (%d failed), %d kills, %d of the API server; life %d: %4d MiB, %4d goroutines",
		s.changes.Load(), s.changeErrors.Load(), s.swaps.Load(), s.swapErrors.Load(), s.kills.Load(), s.serverKills.Load(),
		last.life, last.resident>>20, last.goroutines)
}

// summary prints the memory and the goroutines in each minute.
func (s *soak) summary() {
	fmt.Printf("\n%-8s %28s %28s\n%-8s %28s %28s\n", "minute", "resident MiB", "goroutines", "", "least / median / most", "least / median / most")
	minutes := map[int][]sampled{}
	for _, sample := range s.meter.all() {
		minute := int(sample.at / time.Minute)
		minutes[minute] = append(minutes[minute], sample)
	}
	row := func(lo, mid, hi, by float64) string {
		return fmt.Sprintf("%6.0f / %6.0f / %6.0f", lo/by, mid/by, hi/by)
	}
	for minute := range int(time.Since(s.start)/time.Minute) + 1 {
		lo, mid, hi := middle(pick(minutes[minute], resident))
		glo, gmid, ghi := middle(pick(minutes[minute], goroutines))
		fmt.Printf("%-8d %28s %28s\n", minute, row(lo, mid, hi, 1<<20), row(glo, gmid, ghi, 1))
	}
	fmt.Printf("\nobjects: %d changes, %d not taken by a dead API server; modules: %d swaps, %d not taken; kills: %d of the operator, %d of the API server\n",
		s.changes.Load(), s.changeErrors.Load(), s.swaps.Load(), s.swapErrors.Load(), s.kills.Load(), s.serverKills.Load())
}

// verdict returns all failures of the run.
func (s *soak) verdict() error {
	for _, complaint := range s.manager.complaints() {
		s.meter.fail("the operator's log: %s", complaint)
	}
	if err := s.meter.flat(); err != nil {
		s.meter.fail("%v", err)
	}
	var errs []error
	for _, problem := range s.meter.problems() {
		errs = append(errs, errors.New(problem))
	}
	return errors.Join(errs...)
}
