// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/measure"
)

// byLanguage returns the bound for Go, or the one for the other languages.
func byLanguage(language string, others, golang float64) float64 {
	if language == "go" {
		return golang
	}
	return others
}

// instanceRows returns the rows about new instances and new revisions.
func instanceRows() section {
	s := section{
		title: "New instances, new revisions",
		note: "An instance: a call that gets a new one, less a call that gets a warm one, so freeing it is included. A load: from the bytes to a " +
			"healthy first instance in an engine that has nothing in memory, its compiled code in the disk cache.",
	}
	for _, l := range guest.Languages() {
		s.rows = append(s.rows, row{
			name: "instance-" + l, what: "a new instance, " + title[l] + ", p50", unit: "µs", seed: "1–5 ms",
			target:   atMost(byLanguage(l, 100, 400)),
			subjects: []string{"fresh-" + l, "engine-" + l},
			measure: func(_ context.Context, s *session) (float64, error) {
				fresh, err := s.of("fresh-" + l)
				if err != nil {
					return 0, err
				}
				warm, err := s.of("engine-" + l)
				return fresh.Median(microP50) - warm.Median(microP50), err
			},
			peers: []other{{"with its call", "fresh-" + l, microP50, ""}},
		})
	}
	for _, l := range guest.Languages() {
		s.rows = append(s.rows, row{
			name: "load-" + l, what: "load to serving, warm disk cache, " + title[l] + ", median", unit: "ms", seed: "5–20 ms",
			target:  atMost(byLanguage(l, 5, 40)),
			measure: func(ctx context.Context, s *session) (float64, error) { return s.load(ctx, l) },
		})
	}
	return s
}

// loads is how often a load is measured.
const loads = 20

// load returns the median duration of a load in milliseconds.
func (s *session) load(ctx context.Context, language string) (float64, error) {
	module, err := s.module(language)
	if err != nil {
		return 0, err
	}
	dir, err := s.dir("cache-" + language)
	if err != nil {
		return 0, err
	}
	s.log("loading the %s guest %d times", title[language], loads)
	var times []time.Duration
	for range loads + 1 {
		took, err := loadOnce(ctx, module, dir)
		if err != nil {
			return 0, err
		}
		times = append(times, took)
	}
	return measure.Median(times[1:]).Seconds() * millis, nil // the first load fills the cache
}

func loadOnce(ctx context.Context, module plugin.Module, cacheDir string) (time.Duration, error) {
	engine, err := newEngine(ctx, cacheDir)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	runner, _, err := engine.Load(ctx, loadRequest(module, guest.NewHost()))
	took := time.Since(start)
	if err == nil {
		err = runner.Close(ctx)
	}
	return took, errors.Join(err, engine.Close(ctx))
}
