// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// batchRunner is a batcher, a guest whose calls wait for a gate, and the recorded calls and results.
type batchRunner struct {
	*batcher
	t     *testing.T
	guest *guest
	// gate blocks the guest's calls while it is closed.
	gate chan struct{}
	// failing is the name of an object that makes the guest fail.
	failing string

	mu    sync.Mutex
	calls []string // "reconcile a", "reconcile_batch b c"
	ends  map[string]string
	wg    sync.WaitGroup
}

// newBatchRunner returns a hall whose batcher has one slot, which is taken, so that all calls wait.
func newBatchRunner(t *testing.T, most int) *batchRunner {
	t.Helper()
	h := &batchRunner{t: t, gate: make(chan struct{}), ends: map[string]string{}}
	h.guest = &guest{answer: h.answer}
	h.batcher = newBatcher(h.guest, h.guest, 1, most, func(int) {})
	h.come(t.Context(), "first", 1)
	return h
}

// answer requeues each object after as many ms as its name is long.
func (h *batchRunner) answer(ctx context.Context, call plugin.Call) ([]byte, error) {
	requests := []json.RawMessage{call.Input}
	if call.Export == abi.ExportReconcileBatch {
		var batch struct{ Requests []json.RawMessage }
		if err := json.Unmarshal(call.Input, &batch); err != nil {
			h.t.Errorf("%s: %v", call.Input, err)
		}
		requests = batch.Requests
	}
	var names, results []string
	for _, r := range requests {
		var req abi.ReconcileRequest
		if err := json.Unmarshal(r, &req); err != nil {
			h.t.Errorf("%s: %v", r, err)
		}
		names = append(names, req.Name)
		switch {
		case strings.HasPrefix(req.Name, "bad") && call.Export == abi.ExportReconcile:
			return nil, guestError("Invalid")
		case strings.HasPrefix(req.Name, "bad"):
			results = append(results, `{"error":{"reason":"Invalid","message":"of the test"}}`)
		case strings.HasPrefix(req.Name, "done"):
			results = append(results, `{}`)
		default:
			results = append(results, fmt.Sprintf(`{"requeueAfterMillis":%d}`, len(req.Name)))
		}
	}
	h.mu.Lock()
	h.calls = append(h.calls, call.Export+" "+strings.Join(names, " "))
	h.mu.Unlock()
	select {
	case <-h.gate:
	case <-ctx.Done():
		return nil, &plugin.CallError{Kind: plugin.KindTimeout, Export: call.Export, Err: ctx.Err()}
	}
	if slices.Contains(names, h.failing) {
		return nil, &plugin.CallError{Kind: plugin.KindTrap, Export: call.Export, Err: errors.New("unreachable")}
	}
	if call.Export == abi.ExportReconcile {
		return []byte(results[0]), nil
	}
	reply := []byte(`{"results":[` + strings.Join(results, ",") + `]}`)
	if err := call.Accept(reply); err != nil {
		return nil, &plugin.CallError{Kind: plugin.KindViolation, Export: call.Export, Err: err}
	}
	return reply, nil
}

// come makes a call for an object. When come returns, the call is done or waits.
func (h *batchRunner) come(ctx context.Context, name string, attempt int) {
	h.wg.Go(func() {
		result, err := plugin.Reconcile(ctx, h.batcher, abi.ReconcileRequest{
			ObjectKey: abi.ObjectKey{APIVersion: "v1", Kind: "K", Name: name}, Attempt: attempt,
		})
		end := fmt.Sprintf("%d", result.RequeueAfterMillis)
		if err != nil {
			end = string(plugin.KindOf(err))
		}
		if plugin.IsInvalid(err) {
			end = "Invalid"
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ends[name] = end
	})
	synctest.Wait()
}

// finish opens the gate and waits for all calls.
func (h *batchRunner) finish() {
	close(h.gate)
	h.wg.Wait()
	synctest.Wait()
	h.batcher.mu.Lock()
	defer h.batcher.mu.Unlock()
	if h.free != 1 || len(h.waiting) != 0 {
		h.t.Errorf("in the end %d slots are free and %d calls wait, want 1 and 0", h.free, len(h.waiting))
	}
}

func (h *batchRunner) expect(calls []string, ends map[string]string) {
	h.t.Helper()
	if diff := cmp.Diff(calls, h.calls); diff != "" {
		h.t.Errorf("calls of the guest (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(ends, h.ends); diff != "" {
		h.t.Errorf("what the callers got (-want +got)\n%s", diff)
	}
}

func TestBatcher_alone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newBatchRunner(t, 32)
		h.expect([]string{"reconcile first"}, map[string]string{}) // immediately
		h.come(t.Context(), "a", 1)
		h.finish()
		h.expect([]string{"reconcile first", "reconcile a"}, map[string]string{"first": "5", "a": "1"})
	})
}

// Waiting calls are joined, and each gets its own result.
func TestBatcher_joins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newBatchRunner(t, 4)
		sizes := []int{}
		h.joined = func(n int) { sizes = append(sizes, n) }
		for _, name := range []string{"a", "bad", "done", "dddd", "eeeee", "ffffff", "ggggggg", "hh", "iii"} {
			h.come(t.Context(), name, 1)
		}
		h.finish()
		h.expect(
			[]string{"reconcile first", "reconcile_batch a bad done dddd", "reconcile_batch eeeee ffffff ggggggg hh", "reconcile iii"},
			map[string]string{"first": "5", "a": "1", "bad": "Invalid", "done": "0", "dddd": "4", "eeeee": "5", "ffffff": "6", "ggggggg": "7", "hh": "2", "iii": "3"},
		)
		if !slices.Equal(sizes, []int{4, 4}) {
			t.Errorf("sizes %v", sizes)
		}
	})
}

// An object that makes the guest fail does not affect the others.
func TestBatcher_failingKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newBatchRunner(t, 32)
		h.failing = "b"
		for _, name := range []string{"a", "b", "c"} {
			h.come(t.Context(), name, 1)
		}
		h.finish()
		if want := map[string]string{"first": "5", "a": "1", "b": "Trap", "c": "1"}; !cmp.Equal(want, h.ends) {
			t.Errorf("got %v, want %v", h.ends, want)
		}
		if h.calls[1] != "reconcile_batch a b c" || len(h.calls) != 5 {
			t.Errorf("calls %q", h.calls)
		}
		for _, second := range []string{"reconcile a", "reconcile b", "reconcile c"} {
			if !slices.Contains(h.calls, second) {
				t.Errorf("there is no %q among %q", second, h.calls)
			}
		}
	})
}

// A call that has failed before runs alone, and does not block those behind it.
func TestBatcher_retry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newBatchRunner(t, 32)
		h.come(t.Context(), "again", 2)
		h.come(t.Context(), "a", 1)
		h.come(t.Context(), "still", 7)
		h.come(t.Context(), "b", 1)
		h.finish()
		h.expect(
			[]string{"reconcile first", "reconcile again", "reconcile_batch a b", "reconcile still"},
			map[string]string{"first": "5", "again": "5", "a": "1", "still": "5", "b": "1"},
		)
	})
}

// After a failed batch there are no batches for a while.
func TestBatcher_pauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newBatchRunner(t, 32)
		h.failing = "b"
		h.come(t.Context(), "a", 1)
		h.come(t.Context(), "b", 1)
		h.finish()
		round := func(names ...string) string {
			h.gate, h.calls = make(chan struct{}), nil
			h.come(t.Context(), "first", 1)
			for _, name := range names {
				h.come(t.Context(), name, 1)
			}
			h.finish()
			return strings.Join(h.calls, ", ")
		}
		if got := round("c", "d"); got != "reconcile first, reconcile c, reconcile d" {
			t.Errorf("right after: %s", got)
		}
		time.Sleep(minPause) //nolint:forbidigo // the bubble's time, which passes at once
		if got := round("c", "b"); !strings.HasPrefix(got, "reconcile first, reconcile_batch c b, ") {
			t.Errorf("a second later: %s", got)
		}
		time.Sleep(minPause) //nolint:forbidigo // as above
		if got := round("c", "d"); got != "reconcile first, reconcile c, reconcile d" {
			t.Errorf("a second after the second failure: %s", got)
		}
		time.Sleep(minPause) //nolint:forbidigo // as above
		if got := round("c", "d"); got != "reconcile first, reconcile_batch c d" {
			t.Errorf("two seconds after the second failure: %s", got)
		}
		if h.pause != 0 {
			t.Errorf("after a batch that went well, the pause is %s", h.pause)
		}
	})
}

// A wrong reply is rejected while the engine can still discard the instance, and every call is retried.
func TestBatcher_wrongReply(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"too short": `{"results":[{}]}`, "no JSON": `done`, "a wrong error": `{"results":[{},{"error":{"code":"x"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newBatchRunner(t, 32)
				accepted := errors.New("never asked")
				h.guest.answer = func(ctx context.Context, call plugin.Call) ([]byte, error) {
					if call.Export == abi.ExportReconcile {
						return h.answer(ctx, call)
					}
					accepted = call.Accept([]byte(reply))
					return []byte(reply), nil // an engine that does not call Accept
				}
				h.come(t.Context(), "a", 1)
				h.come(t.Context(), "b", 1)
				h.finish()
				if want := map[string]string{"first": "5", "a": "1", "b": "1"}; !cmp.Equal(want, h.ends) {
					t.Errorf("got %v, want %v", h.ends, want)
				}
				if accepted == nil || accepted.Error() == "never asked" {
					t.Errorf("accepted: %v", accepted)
				}
			})
		})
	}
}

// A caller that gives up is removed from the queue, and does not keep a slot.
func TestBatcher_abandon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newBatchRunner(t, 32)
		ctx, cancel := context.WithCancel(t.Context())
		h.come(t.Context(), "a", 1)
		h.come(ctx, "gone", 1)
		h.come(t.Context(), "b", 1)
		cancel()
		synctest.Wait()
		h.finish()
		h.expect(
			[]string{"reconcile first", "reconcile_batch a b"},
			map[string]string{"first": "5", "a": "1", "gone": "Instance", "b": "1"},
		)
	})
}

// A batch continues as long as one of its callers waits, and ends with the last one.
func TestBatcher_together(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newBatchRunner(t, 32)
		one, stopOne := context.WithCancel(t.Context())
		two, stopTwo := context.WithCancel(t.Context())
		defer stopTwo()
		h.come(one, "a", 1)
		h.come(two, "b", 1)
		h.gate <- struct{}{} // the first one proceeds
		synctest.Wait()
		stopOne()
		synctest.Wait()
		if got := h.calls[len(h.calls)-1]; got != "reconcile_batch a b" || h.ends["a"] != "Instance" || h.ends["b"] != "" {
			t.Errorf("after one has gone: %q, %v", got, h.ends)
		}
		stopTwo()
		synctest.Wait()
		if h.ends["b"] != "Instance" || h.free != 1 {
			t.Errorf("after both have gone: %v, %d slots free", h.ends, h.free)
		}
		if h.pause != 0 {
			t.Error("a batch that its callers gave up counts as failed")
		}
		h.finish()
	})
}

// With concurrent calls, cancellations and failures, all slots are released and all calls return.
func TestBatcher_race(t *testing.T) {
	t.Parallel()
	g := &guest{answer: func(ctx context.Context, call plugin.Call) ([]byte, error) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, nil // each result is empty
	}}
	b := newBatcher(g, g, 3, 4, func(int) {})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for n := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if (i+n)%5 == 0 {
					go cancel()
				}
				_, err := b.Call(ctx, plugin.Call{Export: abi.ExportReconcile, Input: []byte("{}"), Attempt: 1 + n%7/6})
				if err != nil && ctx.Err() == nil {
					t.Errorf("got %v", err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free != 3 || len(b.waiting) != 0 {
		t.Errorf("%d slots are free and %d calls wait, want 3 and 0", b.free, len(b.waiting))
	}
}

func TestBatcher_closed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newBatchRunner(t, 32)
		h.guest.answer = func(_ context.Context, call plugin.Call) ([]byte, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.calls = append(h.calls, call.Export)
			return nil, failure(plugin.KindClosed)
		}
		h.come(t.Context(), "a", 1)
		h.come(t.Context(), "b", 1)
		h.finish()
		h.expect([]string{"reconcile first", abi.ExportReconcileBatch}, map[string]string{"first": "5", "a": "Closed", "b": "Closed"})
	})
}

// A panic of the host occurs on a caller's stack, and not in a separate goroutine.
func TestBatcher_panic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newBatchRunner(t, 32)
		h.guest.answer = func(ctx context.Context, call plugin.Call) ([]byte, error) {
			if call.Export == abi.ExportReconcileBatch {
				panic("of the test")
			}
			return h.answer(ctx, call)
		}
		h.come(t.Context(), "a", 1)
		h.come(t.Context(), "b", 1)
		h.finish()
		if want := map[string]string{"first": "5", "a": "1", "b": "1"}; !cmp.Equal(want, h.ends) {
			t.Errorf("got %v, want %v", h.ends, want)
		}
	})
}

// Calls of other exports do not wait in the batcher.
func TestBatcher_otherExports(t *testing.T) {
	t.Parallel()
	g := echo()
	b := newBatcher(g, g, 0, 32, func(int) {})
	if got, err := b.Call(t.Context(), plugin.Call{Export: abi.ExportSetDefaults}); err != nil || string(got) != "set_defaults " {
		t.Errorf("got %q, %v", got, err)
	}
}

// The size of a batch in bytes is limited. A larger request runs alone.
func TestBatcher_bytes(t *testing.T) {
	t.Parallel()
	b := newBatcher(echo(), nil, 0, 32, func(int) {})
	for _, size := range []int{10, maxBatchBytes / 2, maxBatchBytes / 2, 20, 2 * maxBatchBytes, 30} {
		b.enqueue(t.Context(), plugin.Call{Input: make([]byte, size)})
	}
	var got [][]int
	for len(b.waiting) > 0 {
		var sizes []int
		for _, j := range b.take() {
			sizes = append(sizes, len(j.call.Input))
		}
		got = append(got, sizes)
	}
	want := [][]int{{10, maxBatchBytes / 2, 20, 30}, {maxBatchBytes / 2}, {2 * maxBatchBytes}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The engine does not see the errors inside the reply to a batch, so the batcher redacts them.
func TestBatcher_secrets(t *testing.T) {
	t.Parallel()
	b := newBatcher(echo(), nil, 0, 32, func(int) {})
	b.redact = plugin.NewRedactor("hunter2")
	outcomes, err := b.outcomes([]byte(`{"results":[{"error":{"reason":"Invalid","message":"no hunter2"}}]}`), 1)
	if err != nil || len(outcomes) != 1 || outcomes[0].err == nil {
		t.Fatalf("got %v, %v", outcomes, err)
	}
	if got := outcomes[0].err.Error(); got != "guest reconcile_batch answered Invalid: no [redacted]" {
		t.Errorf("got %s", got)
	}
}
