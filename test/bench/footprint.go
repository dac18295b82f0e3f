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

// footprintTask asks what plugins and instances of one guest cost in memory.
type footprintTask struct {
	Module   []byte
	CacheDir string
	// Plugins is how many distinct plugins are loaded each round, Instances how many instances of one are made.
	Plugins, Instances int
}

// footprint is the answer, in bytes each.
type footprint struct{ Idle, Warm float64 }

// childPatience bounds a process that measures memory.
const childPatience = 3 * time.Minute

// restAfter is when a plugin without an instance gives up its code here; in the operator it is 30 s.
const restAfter = time.Second

// warmCalls is how often each instance is called before its memory is looked at.
const warmCalls = 50

// footprint measures a guest in a process of its own.
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

// runFootprint is the process.
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

// idleRounds is how often idle plugins are counted: what the heap keeps for itself comes and goes by more
// than a few plugins take.
const idleRounds = 5

// idlePlugins loads distinct plugins, which keep no instance, and returns what each adds: the median of some
// rounds, after one that makes the heap as large as loading needs it.
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
		wait(ctx, 3*restAfter) // the revision rests, then the code that nobody uses
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

// warmInstances makes instances of one plugin, all in use at the same time, and returns what each adds
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

// adds returns the bytes that the process has more after something.
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

// meeting is a host that holds each call in its read until all are there, so that each needs an
// instance of its own.
type meeting struct {
	*guest.Host

	all sync.WaitGroup
}

func (m *meeting) wait() {
	m.all.Done()
	m.all.Wait()
}

// callAll runs so many calls at once.
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
