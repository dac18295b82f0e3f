// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Host is the fake operator. Use New to create it.
type Host struct {
	t testing.TB

	mu       sync.Mutex
	now      time.Time
	random   *rand.ChaCha8
	store    store
	faults   []func(Call) error
	server   func(k1s.HTTPRequest) (k1s.HTTPResponse, error)
	calls    []Call
	events   []Event
	logs     []LogLine
	attempts map[objectKey]int
	// readOnly is greater than 0 during an admission request.
	readOnly int
}

// New returns a Host that serves the SDK's functions until the test ends. Its clock is set to the beginning of 2026
// until SetNow or Advance change it, and its random numbers are the same in every test.
//
// The SDK has one host at a time, so a test with a Host cannot run in parallel with others: t.Parallel panics after
// New, and New after t.Parallel. Subtests may create their own.
func New(t testing.TB) *Host {
	t.Helper()
	// With Setenv, the testing package marks tests that must not run in parallel.
	t.Setenv("K1STEST_HOST", t.Name())
	h := &Host{
		t:        t,
		now:      time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		random:   rand.NewChaCha8([32]byte{}),
		store:    newStore(),
		attempts: make(map[objectKey]int),
	}
	t.Cleanup(host.Install(installed{h}))
	return h
}

// Reconcile calls a handler with the object in the store, or with nil if there is none. Request.Attempt counts the
// consecutive failures.
func (h *Host) Reconcile(handler k1s.Handler, key k1s.Key) (k1s.Result, error) {
	h.t.Helper()
	id := keyOf(handler.TypeRef(), key)
	h.mu.Lock()
	h.attempts[id]++
	req := k1s.Request{TypeReference: handler.TypeRef(), Key: key, Attempt: h.attempts[id]}
	object := json.Raw("null")
	if o := h.store.objects[id]; o != nil {
		object = json.Raw(encode(o))
	}
	h.mu.Unlock()

	result, err := handler.Reconcile(context.Background(), req, object)
	if err == nil {
		h.mu.Lock()
		delete(h.attempts, id)
		h.mu.Unlock()
	}
	return result, err
}

// SetNow sets the clock of k1s.Now.
func (h *Host) SetNow(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
}

// Advance advances the clock.
func (h *Host) Advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// installed implements host.Host, which the SDK calls.
type installed struct{ h *Host }

// Call serves a client function.
func (i installed) Call(f host.Func, request []byte) host.Reply {
	i.h.mu.Lock()
	defer i.h.mu.Unlock()
	result, err := i.h.serve(f, request)
	if err != nil {
		text, _ := json.Marshal(err)
		return host.Reply{Text: string(text), IsError: true}
	}
	if result == nil {
		return host.Reply{}
	}
	return host.Reply{Text: string(encode(result))}
}

// Log records a line, and writes it to the test's log.
func (i installed) Log(level host.Level, text string) {
	i.h.t.Helper()
	line := LogLine{Level: levels[level], Text: text}
	i.h.mu.Lock()
	i.h.logs = append(i.h.logs, line)
	i.h.mu.Unlock()
	i.h.t.Logf("plugin: %s %s", line.Level, line.Text)
}

// Now returns the time of the Host.
func (i installed) Now() int64 {
	i.h.mu.Lock()
	defer i.h.mu.Unlock()
	return i.h.now.UnixNano()
}

// Random fills b.
func (i installed) Random(b []byte) {
	i.h.mu.Lock()
	defer i.h.mu.Unlock()
	_, _ = i.h.random.Read(b)
}
