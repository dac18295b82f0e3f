// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm"
	"github.com/k1s-io/k1s/test/bench/guest"
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
func (s *session) footprint(ctx context.Context, language string) (footprint, error) {
	return s.warm[language].get(func() (result footprint, err error) {
		module, err := s.module(language)
		if err != nil {
			return footprint{}, err
		}
		dir, err := s.dir("cache-footprint-" + language)
		if err != nil {
			return footprint{}, err
		}
		task := footprintTask{Module: module.Bytes, CacheDir: dir, Plugins: 50, Instances: 64}
		if language == "go" {
			task.Plugins, task.Instances = 12, 16
		}
		ctx, cancel := context.WithTimeout(ctx, childPatience)
		defer cancel()
		s.log("the memory of %d plugins and %d instances of the %s guest", task.Plugins, task.Instances, title[language])
		cmd, err := child(ctx, "footprint")
		if err != nil {
			return footprint{}, err
		}
		return result, exchange(cmd, task, &result)
	})
}

// runFootprint is the main function of this process.
func runFootprint(ctx context.Context, in *json.Decoder) error {
	var task footprintTask
	if err := in.Decode(&task); err != nil {
		return err
	}
	engine, err := wasm.New(ctx, wasm.Options{CacheDir: task.CacheDir, RestAfter: restAfter, Log: logr.Discard()})
	if err != nil {
		return err
	}
	var result footprint
	if result.Warm, err = warmInstances(ctx, engine, task); err != nil {
		return err
	}
	if result.Idle, err = idlePlugins(ctx, engine, task); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// idleRounds is how often idle plugins are measured. Several rounds are needed because the free memory that the Go heap
// keeps varies by more than a few plugins use.
const idleRounds = 5

// idlePlugins loads distinct plugins, which keep no instance, and returns the memory that each one adds. This is the
// median of several rounds, after a first one that grows the heap to the size that loading needs.
func idlePlugins(ctx context.Context, engine *wasm.Engine, task footprintTask) (float64, error) {
	var runners []plugin.Runner
	load := func() error {
		for range task.Plugins {
			req := loadRequest(plugin.NewModule(guest.Distinct(task.Module, len(runners))), guest.NewHost())
			req.Limits.IdleTimeout = 0
			runner, _, err := engine.Load(ctx, req)
			if err != nil {
				return err
			}
			runners = append(runners, runner)
		}
		wait(ctx, 3*restAfter) // the revision releases its code and its image, then the unused code is unloaded
		return nil
	}
	err := load()
	var rounds []float64
	for range idleRounds {
		if err != nil {
			break
		}
		var added float64
		added, err = adds(load)
		rounds = append(rounds, added/float64(task.Plugins))
	}
	for _, r := range runners {
		err = errors.Join(err, r.Close(ctx))
	}
	if err != nil {
		return 0, err
	}
	slices.Sort(rounds)
	return rounds[len(rounds)/2], nil
}

// warmInstances creates instances of one plugin, all in use at the same time, and returns the memory that each one adds
// after some calls.
func warmInstances(ctx context.Context, engine *wasm.Engine, task footprintTask) (float64, error) {
	host := &meeting{Host: guest.NewHost()}
	host.OnGet = host.wait
	req := loadRequest(plugin.NewModule(task.Module), host)
	req.Limits.MaxInstances, req.Limits.IdleTimeout, req.Limits.CallTimeout = task.Instances, time.Hour, time.Minute
	runner, _, err := engine.Load(ctx, req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = runner.Close(ctx) }() // the process ends soon
	if err := host.callAll(ctx, runner, 1); err != nil {
		return 0, err
	}
	added, err := adds(func() (err error) {
		for range warmCalls {
			err = errors.Join(err, host.callAll(ctx, runner, task.Instances))
		}
		return err
	})
	return added / float64(task.Instances-1), err
}

// adds returns the bytes that the memory of the process grows by during a call of do.
func adds(do func() error) (float64, error) {
	settle()
	before, err := memory(os.Getpid())
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	settle()
	after, err := memory(os.Getpid())
	return float64(after - before), err
}

// meeting is a host that blocks each call in its read until all calls have arrived, so that each call needs its own
// instance.
type meeting struct {
	*guest.Host

	all sync.WaitGroup
}

func (m *meeting) wait() {
	m.all.Done()
	m.all.Wait()
}

// callAll makes the given number of calls concurrently.
func (m *meeting) callAll(ctx context.Context, runner plugin.Runner, calls int) error {
	failed := make(chan error, calls)
	m.all.Add(calls)
	for range calls {
		go func() {
			_, err := plugin.Reconcile(ctx, runner, work.Request())
			if err != nil {
				err = fmt.Errorf("call a guest: %w", err)
			}
			failed <- err
		}()
	}
	var err error
	for range calls {
		err = errors.Join(err, <-failed)
	}
	return err
}
