// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/logs"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
	"github.com/k1s-io/k1s/internal/wasm"
)

// recorder is a Host that records requests.
type recorder struct {
	plugin.Host // any other request ends the guest
	patchErr    error

	mu       sync.Mutex
	requests []any
	log      logs.Recorder
}

func (r *recorder) record(request any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request)
}

// take returns the requests since the last call of take.
func (r *recorder) take() []any {
	r.mu.Lock()
	defer r.mu.Unlock()
	requests := r.requests
	r.requests = nil
	return requests
}

func (r *recorder) Patch(_ context.Context, req abi.PatchRequest) ([]byte, error) {
	r.record(req)
	if r.patchErr != nil {
		return nil, r.patchErr
	}
	return []byte(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category"}`), nil
}

func (r *recorder) Event(_ context.Context, req abi.EventRequest) error {
	r.record(req)
	return nil
}

// run loads a fixture as the operator does.
func run(t *testing.T, name string, host *recorder) (plugin.Metadata, plugin.Runner) {
	t.Helper()
	bytes := testfile.Read(t, "testdata", name+".wasm")
	engine, err := wasm.New(t.Context(), wasm.Options{Log: host.log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close(context.Background()) })
	module := plugin.NewModule(bytes)
	limits := plugin.Limits{MaxMemoryPages: 64, CallTimeout: time.Minute, MaxInstances: 1, IdleTimeout: time.Hour}
	metadata, err := engine.Describe(t.Context(), module, limits)
	if err != nil {
		t.Fatal(err)
	}
	runner, _, err := engine.Load(t.Context(), plugin.LoadRequest{
		Name: "test/" + name, Module: module, Settings: []byte("{}"), Limits: limits, Host: host,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(context.Background()) })
	return metadata, runner
}
