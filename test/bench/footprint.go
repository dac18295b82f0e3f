// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm"
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/measure"
	"github.com/k1s-io/k1s/test/bench/work"
)

// footprintTask is the task of a process that measures the memory of the plugins and instances of one guest.
type footprintTask struct {
	Module   []byte
	CacheDir string
	// Plugins is how many distinct plugins are loaded in each round, Instances how many instances of one plugin are
	// created.
	Plugins, Instances int
}

// footprint is the memory of one idle plugin and of one warm instance, in bytes.
type footprint struct{ Idle, Warm float64 }

// childPatience is the timeout of a process that measures memory.
const childPatience = 3 * time.Minute

// restAfter is how long a plugin without an instance keeps its code in memory here; in the operator it is 30 s.
const restAfter = time.Second

// warmCalls is how often each instance is called before its memory is measured.
const warmCalls = 50

// footprint measures the memory of a guest in its own process.
func (s *session) footprint(language string) (result footprint) {
	task := footprintTask{Module: s.module(language).Bytes, CacheDir: s.dir("cache-footprint-" + language), Plugins: 50, Instances: 64}
	if language == "go" {
		task.Plugins, task.Instances = 12, 16
	}
	ctx, cancel := context.WithTimeout(s.ctx, childPatience)
	defer cancel()
	s.log("the memory of %d plugins and %d instances of the %s guest", task.Plugins, task.Instances, title[language])
	process := startChild(ctx, "footprint")
	defer process.stop()
	process.ask(task, &result)
	return result
}

// runFootprint is the main function of this process.
func runFootprint(ctx context.Context, in *json.Decoder, out *json.Encoder) {
	var task footprintTask
	check(in.Decode(&task))
	engine := must(wasm.New(ctx, wasm.Options{CacheDir: task.CacheDir, RestAfter: restAfter, Log: logr.Discard()}))
	warm := warmInstances(ctx, engine, task)
	check(out.Encode(footprint{Warm: warm, Idle: idlePlugins(ctx, engine, task)}))
}

// idleRounds is how often idle plugins are measured. Several rounds are needed because the free memory that the Go heap
// keeps varies by more than a few plugins use.
const idleRounds = 5

// idlePlugins loads distinct plugins, which keep no instance, and returns the memory that each one adds. This is the
// median of several rounds, after a first one that grows the heap to the size that loading needs.
func idlePlugins(ctx context.Context, engine *wasm.Engine, task footprintTask) float64 {
	var runners []plugin.Runner // not closed: the process ends soon
	load := func() {
		for range task.Plugins {
			req := loadRequest(plugin.NewModule(guest.Distinct(task.Module, len(runners))), guest.NewHost())
			req.Limits.IdleTimeout = 0
			runner, _, err := engine.Load(ctx, req)
			check(err)
			runners = append(runners, runner)
		}
		time.Sleep(3 * restAfter) //nolint:forbidigo // the revision releases its code and its image, then the unused code is unloaded
	}
	load()
	var rounds []float64
	for range idleRounds {
		rounds = append(rounds, adds(load)/float64(task.Plugins))
	}
	return measure.Median(rounds)
}

// warmInstances creates instances of one plugin, all in use at the same time, and returns the memory that each one adds
// after some calls.
func warmInstances(ctx context.Context, engine *wasm.Engine, task footprintTask) float64 {
	host := &meeting{Host: guest.NewHost()}
	req := loadRequest(plugin.NewModule(task.Module), host)
	req.Limits.MaxInstances, req.Limits.IdleTimeout, req.Limits.CallTimeout = task.Instances, time.Hour, time.Minute
	runner, _, err := engine.Load(ctx, req)
	check(err)
	defer func() { check(runner.Close(ctx)) }()
	host.callAll(ctx, runner, 1)
	return adds(func() {
		for range warmCalls {
			host.callAll(ctx, runner, task.Instances)
		}
	}) / float64(task.Instances-1)
}

// adds returns the bytes that the memory of the process grows by during a call of do.
func adds(do func()) float64 {
	settle()
	before := must(memory())
	do()
	settle()
	return float64(must(memory()) - before)
}

// meeting is a host that blocks each call in its read until all calls have arrived, so that each call needs its own
// instance.
type meeting struct {
	*guest.Host

	all sync.WaitGroup
}

// Get implements plugin.Host.
func (m *meeting) Get(ctx context.Context, key abi.ObjectKey) ([]byte, error) {
	m.all.Done()
	m.all.Wait()
	return m.Host.Get(ctx, key)
}

// callAll makes the given number of calls concurrently.
func (m *meeting) callAll(ctx context.Context, runner plugin.Runner, calls int) {
	var group errgroup.Group
	m.all.Add(calls)
	for range calls {
		group.Go(func() error {
			_, err := plugin.Reconcile(ctx, runner, work.Request())
			return err
		})
	}
	check(group.Wait())
}
