// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// maxBatchBytes is the maximum size of the requests in one batch, because the guest holds all of them in its memory at
// once. A single request may be larger.
const maxBatchBytes = 1 << 20

// batcher joins the reconcile calls that wait for an instance into batches: when an instance becomes free, it serves as
// many of them as a batch may hold. If an instance is free already, a call runs immediately and alone.
//
// If a batch fails, each of its requests is retried alone. A request whose last attempt failed also runs alone, so that
// one object that makes the guest fail does not block the others.
type batcher struct {
	plugin.Runner
	// batches makes the calls with several requests. These calls belong to no single caller, so they need their own
	// metrics and tracing.
	batches plugin.Runner
	// most is the maximum number of requests in a batch.
	most int
	// redact redacts secrets in the guest's errors. It may be nil.
	redact *plugin.Redactor
	// joined is called with the size of every batch that is sent.
	joined func(size int)

	mu sync.Mutex
	// free is the number of calls that can start now. It is at most the number of instances.
	free int
	// waiting are the waiting jobs, in order of arrival.
	waiting []*job
	// pause grows while batches fail. Until the time in until, every request runs alone.
	pause time.Duration
	until time.Time
}

// job is a waiting call.
type job struct {
	ctx  context.Context //nolint:containedctx // a batch lives as long as one of its callers
	call plugin.Call
	// taken is set when the job is removed from the queue to run alone. The batcher's lock guards it.
	taken bool
	// done receives one outcome.
	done chan outcome
}

// outcome is the result of a job.
type outcome struct {
	reply []byte
	err   error
	// turn means that the caller has acquired a slot and makes the call itself.
	turn bool
	// retry means that the batch of the job failed, and that the job is retried.
	retry bool
}

func newBatcher(next, batches plugin.Runner, slots, most int, joined func(size int)) *batcher {
	return &batcher{Runner: next, batches: batches, free: slots, most: most, joined: joined}
}

// Call implements plugin.Runner.
func (b *batcher) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	if call.Export != abi.ExportReconcile {
		return b.Runner.Call(ctx, call)
	}
	b.mu.Lock()
	if b.free > 0 {
		b.free--
		b.mu.Unlock()
		return b.alone(ctx, call)
	}
	j := b.enqueue(ctx, call)
	b.mu.Unlock()
	return b.wait(ctx, j)
}

// enqueue appends a call to the queue. The caller holds the lock.
func (b *batcher) enqueue(ctx context.Context, call plugin.Call) *job {
	j := &job{ctx: ctx, call: call, done: make(chan outcome, 1)}
	b.waiting = append(b.waiting, j)
	return j
}

// wait waits for the outcome of a job.
func (b *batcher) wait(ctx context.Context, j *job) ([]byte, error) {
	for {
		select {
		case o := <-j.done:
			switch {
			case o.turn:
				return b.alone(ctx, j.call)
			case o.retry:
				retry := j.call
				retry.Attempt = max(retry.Attempt, 1) + 1 // so that it runs alone
				return b.Call(ctx, retry)
			case o.err == nil && j.call.Accept != nil:
				if err := j.call.Accept(o.reply); err != nil {
					return nil, &plugin.CallError{Kind: plugin.KindViolation, Export: j.call.Export, Err: fmt.Errorf("reply: %w", err)}
				}
			}
			return o.reply, o.err
		case <-ctx.Done():
			b.abandon(j)
			err := fmt.Errorf("wait for an instance: %w", ctx.Err())
			return nil, &plugin.CallError{Kind: plugin.KindInstance, Export: j.call.Export, Err: err}
		}
	}
}

// abandon removes a job whose caller does not wait any longer.
func (b *batcher) abandon(j *job) {
	b.mu.Lock()
	if i := slices.Index(b.waiting, j); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
		b.mu.Unlock()
		return
	}
	taken := j.taken
	b.mu.Unlock()
	if taken { // a slot is being handed to a caller that no longer needs it
		<-j.done
		b.deliver()
	}
}

// alone makes a call in an acquired slot, and releases the slot.
func (b *batcher) alone(ctx context.Context, call plugin.Call) ([]byte, error) {
	defer b.deliver()
	return b.Runner.Call(ctx, call)
}

// deliver hands the slot to the next waiting jobs, or frees it.
func (b *batcher) deliver() {
	b.mu.Lock()
	if len(b.waiting) == 0 {
		b.free++
		b.mu.Unlock()
		return
	}
	jobs := b.take()
	single := len(jobs) == 1
	jobs[0].taken = single
	b.mu.Unlock()
	if single {
		jobs[0].done <- outcome{turn: true}
		return
	}
	go b.run(jobs)
}

// take removes the first job from the queue, which must not be empty, together with the jobs that join its batch. The
// caller holds the lock.
func (b *batcher) take() []*job {
	first := b.waiting[0]
	joining := !time.Now().Before(b.until) && joinable(first)
	jobs, rest, size := []*job{first}, b.waiting[:0], len(first.call.Input)
	for _, j := range b.waiting[1:] {
		if joining && len(jobs) < b.most && joinable(j) && size+len(j.call.Input) <= maxBatchBytes {
			jobs = append(jobs, j)
			size += len(j.call.Input)
		} else {
			rest = append(rest, j)
		}
	}
	clear(b.waiting[len(rest):])
	b.waiting = rest
	return jobs
}

// joinable reports whether a job can join a batch: its last attempt must not have failed.
func joinable(j *job) bool { return j.call.Attempt <= 1 }

// run makes one call for several jobs in an acquired slot, and releases the slot.
func (b *batcher) run(jobs []*job) {
	outcomes := make([]outcome, len(jobs))
	for i := range outcomes {
		outcomes[i].retry = true
	}
	defer func() {
		// Whatever happens, every caller must get an outcome, and the slot must be released. If the host panicked on
		// the batch, the panic recurs on a caller's own stack, when its request runs alone.
		_ = recover()
		for i, j := range jobs {
			j.done <- outcomes[i]
		}
		b.deliver()
	}()
	b.joined(len(jobs))
	ctx, stop := together(jobs)
	defer stop()
	results, err := b.send(ctx, jobs)
	if ctx.Err() == nil {
		b.settle(err == nil)
	}
	switch {
	case plugin.KindOf(err) == plugin.KindClosed:
		for i := range outcomes {
			outcomes[i] = outcome{err: err}
		}
	case err == nil:
		outcomes = results
	}
}

// send makes the call. If it returns an error, the outcome of all jobs is unknown.
func (b *batcher) send(ctx context.Context, jobs []*job) ([]outcome, error) {
	inputs, size := make([][]byte, len(jobs)), 0
	for i, j := range jobs {
		inputs[i] = j.call.Input
		size += len(j.call.Input)
	}
	input := abi.AppendReconcileBatch(make([]byte, 0, abi.ReconcileBatchSize(len(inputs), size)), inputs)
	accept := func(reply []byte) error {
		_, err := b.outcomes(reply, len(jobs))
		return err
	}
	reply, err := b.batches.Call(ctx, plugin.Call{
		Export: abi.ExportReconcileBatch, Input: input, Accept: accept, Object: jobs[0].call.Object, Attempt: 1,
	})
	if err != nil {
		return nil, err
	}
	return b.outcomes(reply, len(jobs))
}

// settle records whether a batch succeeded. While batches keep failing, they are attempted less and less often.
func (b *batcher) settle(good bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if good {
		b.pause = 0
		return
	}
	b.pause = min(max(2*b.pause, minPause), maxPause)
	b.until = time.Now().Add(b.pause)
}

// together returns a context that ends when no caller waits any more. Its values are those of the first job's context.
func together(jobs []*job) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(jobs[0].ctx))
	var left atomic.Int64
	left.Store(int64(len(jobs)))
	stops := make([]func() bool, len(jobs))
	for i, j := range jobs {
		stops[i] = context.AfterFunc(j.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// outcomes converts the reply to a batch into the replies that the reconcile export would have given to each request.
func (b *batcher) outcomes(reply []byte, n int) ([]outcome, error) {
	results, err := abi.DecodeReconcileBatchReply(reply, n)
	if err != nil {
		return nil, err
	}
	outcomes := make([]outcome, n)
	for i, r := range results {
		switch {
		case r.Error != nil:
			status, err := abi.DecodeStatus(r.Error)
			if err != nil {
				return nil, fmt.Errorf("results[%d]: %w", i, err)
			}
			outcomes[i].err = b.redact.GuestError(abi.ExportReconcileBatch, status)
		case r.RequeueAfterMillis > 0:
			outcomes[i].reply = fmt.Appendf(nil, `{"requeueAfterMillis":%d}`, r.RequeueAfterMillis)
		}
	}
	return outcomes, nil
}
