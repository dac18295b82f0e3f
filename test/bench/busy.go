// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/measure"
	"github.com/k1s-io/k1s/test/bench/work"
)

// busy is how many plugins are called at the same time, each by one caller.
const busy = 50

// crowdResult is the throughput and the latency of plugins that are busy at the same time.
type crowdResult struct {
	perSecond float64
	p99       time.Duration
}

func busyRow(name, what, unit string, pick func(crowdResult) float64) row {
	return row{name: name, what: what, unit: unit, measure: func(ctx context.Context, s *session) (float64, error) {
		r, err := s.busyPlugins(ctx)
		return pick(r), err
	}}
}

// busyPlugins calls distinct plugins of one engine at the same time.
func (s *session) busyPlugins(ctx context.Context) (crowdResult, error) {
	return s.crowd.get(func() (result crowdResult, err error) {
		module, err := s.module("rust")
		if err != nil {
			return result, err
		}
		dir, err := s.dir("cache-busy")
		if err != nil {
			return result, err
		}
		engine, err := newEngine(ctx, dir)
		if err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, engine.Close(ctx)) }()
		s.log("loading %d distinct plugins, to be busy at once", busy)
		var runners []plugin.Runner
		defer func() {
			for _, r := range runners {
				err = errors.Join(err, r.Close(ctx))
			}
		}()
		for i := range busy {
			r, _, err := engine.Load(ctx, loadRequest(plugin.NewModule(guest.Distinct(module.Bytes, i)), guest.NewHost()))
			if err != nil {
				return result, err
			}
			runners = append(runners, r)
		}
		series, failed, err := s.plan.Run(ctx, []measure.Subject{{Name: "busy", Callers: busy, Open: func(context.Context) (*measure.Opened, error) {
			return &measure.Opened{Call: func(ctx context.Context, caller int) error {
				_, err := plugin.Reconcile(ctx, runners[caller], work.Request())
				return err
			}}, nil
		}}})
		if err := errors.Join(err, failed["busy"]); err != nil {
			return result, err
		}
		b := series["busy"]
		return crowdResult{perSecond: b.Median(measure.PerSecond), p99: time.Duration(b.Median(measure.P99) * float64(time.Second))}, nil
	})
}

// loopTimeout is the timeout of the plugin that loops.
const loopTimeout = time.Second

// loopMode is the input that makes the fixture of the engine's tests loop forever.
const loopMode = 'g'

// openNeighbor opens the C guest, with or without another plugin in the same engine that loops forever: each call of
// the other plugin ends with its timeout, and the next one loops again.
func (s *session) openNeighbor(ctx context.Context, beside bool) (*measure.Opened, error) {
	opened, engine, err := s.openIn(ctx, "c", func(*plugin.Limits) {})
	if err != nil || !beside {
		return opened, err
	}
	bytes, err := os.ReadFile(filepath.Join(s.root, "internal", "wasm", "testdata", "modes.wasm"))
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	req := loadRequest(plugin.NewModule(bytes), guest.NewHost())
	req.Limits.MaxInstances, req.Limits.CallTimeout = 1, loopTimeout
	looping, _, err := engine.Load(ctx, req)
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	var running sync.WaitGroup
	var stop context.CancelFunc
	closeFirst := opened.Close
	opened.Before = func() {
		var loop context.Context
		loop, stop = context.WithCancel(ctx)
		running.Go(func() {
			for loop.Err() == nil {
				// The call fails when it times out, or when the turn ends.
				_, _ = looping.Call(loop, plugin.Call{Export: abi.ExportReconcile, Input: []byte{loopMode}})
			}
		})
	}
	opened.After = func() {
		stop()
		running.Wait()
	}
	opened.Close = func() error { return errors.Join(looping.Close(context.WithoutCancel(ctx)), closeFirst()) }
	return opened, nil
}

// neighborRows returns the rows about a plugin in the same engine as one that loops.
func neighborRows() section {
	return section{
		title: "Beside a plugin that loops for ever",
		note: fmt.Sprintf("Two plugins in one engine, one caller each: one loops until its timeout of %s, again and again; looked at are the calls of the other, in C. "+
			"The loop takes one of the cores.", loopTimeout),
		rows: []row{{
			name: "neighbor-p99", what: "p99 beside the loop, against p99 without it", unit: "×", target: atMost(2),
			subjects: []string{"neighbor-quiet", "neighbor-beside-loop"}, measure: ratioOf("neighbor-beside-loop", "neighbor-quiet", measure.P99),
			peers: []other{{"beside it", "neighbor-beside-loop", microP99, "µs"}, {"without it", "neighbor-quiet", microP99, "µs"}},
		}},
	}
}
