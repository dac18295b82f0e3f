// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/cputime"
	"github.com/k1s-io/k1s/internal/wasm"
)

const (
	// deadline is the timeout of calls that must time out.
	deadline = 500 * time.Millisecond
	// timeout is the timeout of all other calls. Anything that takes longer hangs.
	timeout = 3 * time.Minute
	// late is how much processor time the process may use beyond the deadline of a call. Wall-clock time depends on the
	// load of the machine, so its limit is patience.
	late = 10 * time.Second
	// stall is how much processor time the process may use while the good plugin or the garbage collector makes no
	// progress.
	stall = 5 * time.Second
	// rounds is how many attacks each worker makes.
	rounds = 2
	// maxErrorText is the maximum size of the text of an error, in bytes.
	maxErrorText = 8 << 10

	// What may remain after an attack. The margins are wide, because memory is not given back at once.
	heapMargin      = 32 << 20
	residentMargin  = 192 << 20
	goroutineMargin = 3
)

// testbed is an engine with a good plugin, and the witnesses that monitor it.
type testbed struct {
	engine    *wasm.Engine
	neighbor  plugin.Runner
	neighbors []*neighbor
	before    usage
	stop      func()

	mu       sync.Mutex
	failures []string
	outcome  string
	logged   []string
}

func newTestbed(ctx context.Context) (*testbed, error) {
	a := &testbed{}
	log := funcr.New(func(_, args string) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.logged) < 1000 {
			a.logged = append(a.logged, args)
		}
	}, funcr.Options{Verbosity: 1})
	engine, err := wasm.New(ctx, wasm.Options{Log: log, Compiler: os.Args[0], MaxCompileTime: 2 * time.Second})
	if err != nil {
		return nil, err
	}
	a.engine = engine
	module, err := fixture("neighbor")
	if err != nil {
		return nil, err
	}
	limits := plugin.Limits{MaxMemoryPages: 16, CallTimeout: timeout, MaxInstances: 1, IdleTimeout: time.Hour}
	good, _, err := engine.Load(ctx, plugin.LoadRequest{Name: "test/neighbor", Module: module, Limits: limits, Host: host{}})
	if err != nil {
		return nil, err
	}
	a.neighbor = good
	a.before = measure()
	a.neighbors = []*neighbor{newNeighbor(ctx, good), newCollector()}
	watching, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, w := range a.neighbors {
		all.Go(func() { w.watch(watching) })
	}
	a.stop = func() {
		cancel()
		all.Wait()
	}
	return a, nil
}

func (a *testbed) check(err error) {
	if err != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.failures = append(a.failures, err.Error())
	}
}

// saw records the first outcome of an attack.
func (a *testbed) saw(step step, outcome string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.outcome == "" {
		a.outcome = fmt.Sprintf("%s: %.300s", step, outcome)
	}
}

func (a *testbed) hasLogged(text string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range a.logged {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

// soon runs something that must not take much longer than its limit.
func (a *testbed) soon(what string, limit time.Duration, do func()) {
	start, busy := time.Now(), cputime.Now()
	do()
	took, used := time.Since(start), cputime.Now()-busy
	// While the process waits for its deadline, its other threads may be busy, on every processor.
	if used > limit*time.Duration(runtime.GOMAXPROCS(0))+late || took > limit+timeout {
		a.check(fmt.Errorf("%s took %s, and %s of processor time, with a deadline of %s", what, took, used, limit))
	}
}

// attack describes, loads and calls a module like the operator does.
func (a *testbed) attack(ctx context.Context, it attack) {
	module, err := it.module()
	if err != nil {
		a.check(err)
		return
	}
	limits := it.limits()
	a.soon("describing", buildTime, func() { _, err = a.engine.Describe(ctx, module, limits) })
	if it.at == describes {
		a.check(it.rejected(err))
		a.saw(describes, fmt.Sprint(err))
		return
	}
	if err != nil {
		a.unexpected(it, describes, err)
		return
	}
	var runner plugin.Runner
	req := plugin.LoadRequest{Name: "test/" + it.file(), Module: module, Settings: []byte("{}"), Limits: limits, Host: host{}, Reader: reader{}}
	a.soon("loading", buildTime, func() { runner, _, err = a.engine.Load(ctx, req) })
	if it.at == loads {
		a.check(it.rejected(err))
		a.saw(loads, fmt.Sprint(err))
		return
	}
	if err != nil {
		a.unexpected(it, loads, err)
		return
	}
	a.call(ctx, it, runner)
	a.soon("closing", time.Duration(limits.MaxInstances)*time.Second, func() { a.check(runner.Close(ctx)) })
	if it.at == closes {
		a.saw(closes, it.want)
		if !a.hasLogged(it.want) {
			a.check(fmt.Errorf("nothing is logged of %q", it.want))
		}
	}
}

// unexpected reports a failure if a module was rejected that must not be rejected.
func (a *testbed) unexpected(it attack, at step, err error) {
	if !it.canBeRejected(err) {
		a.check(fmt.Errorf("rejected at %s: %w", at, err))
	}
	a.saw(at, err.Error())
}

// buildTime is the maximum time for describing or loading the largest of the modules.
const buildTime = 20 * time.Second

// call makes as many concurrent hostile calls as the plugin can have instances.
func (a *testbed) call(ctx context.Context, it attack, runner plugin.Runner) {
	var all sync.WaitGroup
	for range it.limits().MaxInstances {
		all.Go(func() {
			for range rounds {
				for range it.peaceful {
					if reply, err := a.one(ctx, it, runner, it.input()); err != nil || len(reply) > 0 {
						a.check(fmt.Errorf("a peaceful call: got %q and %s", reply, fmt.Sprint(err)))
					}
				}
				reply, err := a.one(ctx, it, runner, it.input())
				a.check(it.answered(reply, err))
				a.saw(it.at, fmt.Sprintf("%.40q, %v", reply, err))
				if it.hopeless {
					continue
				}
				if reply, err := a.good(ctx, it, runner); err != nil || len(reply) > 0 {
					a.check(fmt.Errorf("the good call afterwards: got %q and %s", reply, fmt.Sprint(err)))
				}
			}
		})
	}
	all.Wait()
}

// good makes a good call. If the timeout of the plugin is short, a busy machine may exceed it, so the call is retried.
func (a *testbed) good(ctx context.Context, it attack, runner plugin.Runner) (reply []byte, err error) {
	give := time.Now().Add(timeout)
	for {
		reply, err = a.one(ctx, it, runner, []byte("good"))
		if plugin.KindOf(err) != plugin.KindTimeout || !it.timesOut() || time.Now().After(give) {
			return reply, err
		}
	}
}

func (a *testbed) one(ctx context.Context, it attack, runner plugin.Runner, input []byte) (reply []byte, err error) {
	a.soon("a call", it.limits().CallTimeout, func() {
		if it.export != "" {
			reply, err = admit(ctx, runner, it.export, string(input))
			return
		}
		reply, err = runner.Call(ctx, plugin.Call{Export: abi.ExportReconcile, Input: input, Accept: it.accept()})
	})
	return reply, err
}

// accept checks replies like plugin.Reconcile. Fixtures with the step answers reply with something else.
func (a attack) accept() func([]byte) error {
	if a.at != fails {
		return nil
	}
	return func(reply []byte) error {
		if len(reply) == 0 {
			return nil
		}
		var result abi.ReconcileResult
		if err := abi.Decode(reply, &result); err != nil {
			return err
		}
		if result.RequeueAfterMillis < 0 {
			return errors.New("a negative time")
		}
		return nil
	}
}

// finish closes the arena and returns its report: the witnesses must have made progress, and the memory that was taken
// must have been given back.
func (a *testbed) finish(ctx context.Context) report {
	counts := make([]int, len(a.neighbors))
	for i, w := range a.neighbors {
		counts[i] = w.count()
	}
	var notes []string
	give := time.Now().Add(timeout)
	for i, w := range a.neighbors {
		for w.count() == counts[i] && time.Now().Before(give) {
			<-time.After(time.Millisecond)
		}
		if w.count() == counts[i] {
			a.check(fmt.Errorf("%s no more", w.what))
		}
		note, err := w.verdict()
		a.check(err)
		notes = append(notes, note)
	}
	a.stop()
	after, err := settle(a.before)
	a.check(err)
	a.check(a.neighbor.Close(ctx))
	a.soon("closing the engine", stall, func() { a.check(a.engine.Close(ctx)) })
	notes = append(notes, after.String())
	a.mu.Lock()
	defer a.mu.Unlock()
	return report{Failures: a.failures, Outcome: a.outcome, Notes: strings.Join(notes, ", ")}
}

// runAlone runs one attack in a process of its own.
func runAlone(it attack) report {
	ctx := context.Background()
	a, err := newTestbed(ctx)
	if err != nil {
		return report{Failures: []string{err.Error()}}
	}
	a.attack(ctx, it)
	if peak := peakResident(); it.most > 0 && peak > a.before.resident+it.most {
		a.check(fmt.Errorf("%d KiB were resident at the most, more than the %d KiB of before and %d KiB", peak>>10, a.before.resident>>10, it.most>>10))
	}
	return a.finish(ctx)
}
