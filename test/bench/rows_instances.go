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

// loads is how often a load is measured.
const loads = 20

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
			target: atMost(byLanguage(l, 100, 400)),
			value: value{[]string{"fresh-" + l, "engine-" + l}, func(s *session) float64 {
				return s.of("fresh-"+l).Median(microP50) - s.of("engine-"+l).Median(microP50)
			}},
			peers: []other{{"with its call", "fresh-" + l, microP50, ""}},
		})
	}
	for _, l := range guest.Languages() {
		s.rows = append(s.rows, row{
			name: "load-" + l, what: "load to serving, warm disk cache, " + title[l] + ", median", unit: "ms", seed: "5–20 ms",
			target: atMost(byLanguage(l, 5, 40)),
			value:  resultOf(func(s *session) float64 { return s.load(l) }),
		})
	}
	return s
}

// load returns the median duration of a load in milliseconds.
func (s *session) load(language string) float64 {
	module, dir := s.module(language), s.dir("cache-"+language)
	s.log("loading the %s guest %d times", title[language], loads)
	loadOnce(s.ctx, module, dir) // fills the cache
	var times []time.Duration
	for range loads {
		times = append(times, loadOnce(s.ctx, module, dir))
	}
	return measure.Median(times).Seconds() * millis
}

func loadOnce(ctx context.Context, module plugin.Module, cacheDir string) time.Duration {
	engine := newEngine(ctx, cacheDir)
	start := time.Now()
	runner, _, err := engine.Load(ctx, loadRequest(module, guest.NewHost()))
	took := time.Since(start)
	if err == nil {
		err = runner.Close(ctx)
	}
	check(errors.Join(err, engine.Close(ctx)))
	return took
}
