// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
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

// busyPlugins calls distinct plugins of one engine at the same time.
func (s *session) busyPlugins() measure.Series {
	module, engine := s.module("rust"), newEngine(s.ctx, s.dir("cache-busy"))
	s.log("loading %d distinct plugins, to be busy at once", busy)
	var runners []plugin.Runner
	defer func() {
		var err error
		for _, r := range runners {
			err = errors.Join(err, r.Close(s.ctx))
		}
		check(errors.Join(err, engine.Close(s.ctx)))
	}()
	for i := range busy {
		r, _, err := engine.Load(s.ctx, loadRequest(plugin.NewModule(guest.Distinct(module.Bytes, i)), guest.NewHost()))
		check(err)
		runners = append(runners, r)
	}
	opened := &measure.Opened{Call: func(ctx context.Context, caller int) error {
		_, err := plugin.Reconcile(ctx, runners[caller], work.Request())
		return err
	}}
	series, failed, err := s.plan.Run(s.ctx, []measure.Subject{{
		Name: "busy", Callers: busy, Open: func(context.Context) (*measure.Opened, error) { return opened, nil },
	}})
	check(errors.Join(err, failed["busy"]))
	return series["busy"]
}

// loopTimeout is the timeout of the plugin that loops.
const loopTimeout = time.Second

// loopMode is the input that makes the fixture of the engine's tests loop forever.
const loopMode = 'g'

// openNeighbor opens the C guest, with or without another plugin in the same engine that loops forever: each call of
// the other plugin ends with its timeout, and the next one loops again.
func (s *session) openNeighbor(beside bool) *measure.Opened {
	quiet := s.openEngine("c", func(*plugin.Limits) {})
	if !beside {
		return quiet.Opened
	}
	req := loadRequest(plugin.NewModule(s.file("internal", "wasm", "testdata", "modes.wasm")), guest.NewHost())
	req.Limits.MaxInstances, req.Limits.CallTimeout = 1, loopTimeout
	looping, _, err := quiet.engine.Load(s.ctx, req)
	check(err)
	var running sync.WaitGroup
	var stop context.CancelFunc
	return &measure.Opened{
		Call: quiet.Call,
		Before: func() {
			var loop context.Context
			loop, stop = context.WithCancel(s.ctx)
			running.Go(func() {
				for loop.Err() == nil {
					// The call fails when it times out, or when the turn ends.
					_, _ = looping.Call(loop, plugin.Call{Export: abi.ExportReconcile, Input: []byte{loopMode}})
				}
			})
		},
		After: func() {
			stop()
			running.Wait()
		},
		Close: func() error { return errors.Join(looping.Close(context.WithoutCancel(s.ctx)), quiet.Close()) },
	}
}

// neighborRows returns the rows about a plugin in the same engine as one that loops.
func neighborRows() section {
	return section{
		title: "Beside a plugin that loops for ever",
		note: fmt.Sprintf("Two plugins in one engine, one caller each: one loops until its timeout of %s, again and again; looked at are the calls of the other, in C. "+
			"The loop takes one of the cores.", loopTimeout),
		rows: []row{{
			name: "neighbor-p99", what: "p99 beside the loop, against p99 without it", unit: "×", target: atMost(2),
			value: ratioOf("neighbor-beside-loop", "neighbor-quiet", measure.P99),
			peers: []other{{"beside it", "neighbor-beside-loop", microP99, "µs"}, {"without it", "neighbor-quiet", microP99, "µs"}},
		}},
	}
}
