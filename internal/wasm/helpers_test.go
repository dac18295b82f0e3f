// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/logs"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// callTimeout is how long a test waits for something that must happen.
const callTimeout = 3 * time.Minute

// short is the timeout of calls that must time out. It is long enough for everything that the call does before.
const short = 2 * time.Second

// within makes one call that must time out if runsOut is true. Loading and other calls have the timeout patience.
func within(r plugin.Runner, runsOut bool, call func() ([]byte, error)) ([]byte, error) {
	if runsOut {
		limits := &r.(*runner).req.Limits
		limits.CallTimeout = short
		defer func() { limits.CallTimeout = callTimeout }()
	}
	return call()
}

// newEngine returns an engine that is closed when the test ends, and its log.
func newEngine(tb testing.TB, change ...func(*Options)) (*Engine, *logs.Recorder) {
	tb.Helper()
	l := &logs.Recorder{Verbosity: 1}
	o := Options{Log: l.Logger()}
	for _, c := range change {
		c(&o)
	}
	e, err := New(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return e, l
}

func fixture(tb testing.TB, name string) plugin.Module {
	tb.Helper()
	bytes := testfile.Read(tb, "testdata", name+".wasm")
	return plugin.NewModule(bytes)
}

// request returns a load request with limits that no test exceeds by accident.
func request(tb testing.TB, name string) plugin.LoadRequest {
	tb.Helper()
	return plugin.LoadRequest{
		Name: "test/" + name, Module: fixture(tb, name), Settings: []byte("{}"),
		Limits: plugin.Limits{MaxMemoryPages: 64, CallTimeout: callTimeout, MaxInstances: 1, IdleTimeout: time.Hour},
	}
}

// load loads a fixture, which must succeed, and closes it when the test ends.
func load(tb testing.TB, e *Engine, name string, change ...func(*plugin.LoadRequest)) plugin.Runner {
	tb.Helper()
	req := request(tb, name)
	for _, c := range change {
		c(&req)
	}
	r, _, err := e.Load(tb.Context(), req)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = r.Close(context.Background()) })
	return r
}

// mode calls reconcile of the fixture modes.
func mode(ctx context.Context, r plugin.Runner, name byte, argument ...byte) ([]byte, error) {
	return r.Call(ctx, plugin.Call{Export: abi.ExportReconcile, Input: append([]byte{name}, argument...)})
}

// calls returns how many calls the instance that replies has had, including this one.
func calls(tb testing.TB, r plugin.Runner) uint32 {
	tb.Helper()
	reply, err := mode(tb.Context(), r, 'n')
	if err != nil || len(reply) != 4 {
		tb.Fatalf("count calls: %v, %v", reply, err)
	}
	return binary.LittleEndian.Uint32(reply)
}

func u32(n ...uint32) (out []byte) {
	for _, v := range n {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

func u64(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

// asLoadError returns an error as *plugin.LoadError, which it must be.
func asLoadError(tb testing.TB, err error) *plugin.LoadError {
	tb.Helper()
	var load *plugin.LoadError
	if !errors.As(err, &load) {
		tb.Fatalf("got %v, want a LoadError", err)
	}
	return load
}

// eventually waits for a condition.
func eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), callTimeout)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatal("waited in vain until " + what)
		}
	}
}

// newCanceled returns a context that is canceled.
func newCanceled(tb testing.TB) (context.Context, context.CancelFunc) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	cancel()
	return ctx, cancel
}
