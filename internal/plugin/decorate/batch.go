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

// maxBatchBytes bounds the requests of one batch: the guest holds all of them in its memory at once. A
// single request may be larger.
const maxBatchBytes = 1 << 20

// batcher joins the reconcile calls that wait for an instance: whoever has one takes as many as it may.
// A call that finds an instance free goes at once and alone.
//
// When a batch fails, its requests are made again one by one, and so is a request whose last try failed:
// one object that the guest cannot bear does not keep the others from theirs.
type batcher struct {
	plugin.Runner
	// batches makes the calls of several requests. They are nobody's own, so that what measures calls
	// stands here once more.
	batches plugin.Runner
	// most is how many requests a batch holds.
	most int
	// redact takes secrets out of the guest's errors; it may be nil.
	redact *plugin.Redactor
	// joined hears of the size of every batch that is sent.
	joined func(size int)

	mu sync.Mutex
	// free is how many calls may still begin: as many as the engine has instances for.
	free int
	// waiting are in the order in which they came.
	waiting []*job
	// pause grows while batches fail; until its end every request goes alone.
	pause time.Duration
	until time.Time
}

// job is a call that waits.
type job struct {
	ctx  context.Context //nolint:containedctx // a batch lives as long as one of its callers
	call plugin.Call
	// taken is set when the job leaves the queue for a turn of its own; the batcher's lock guards it.
	taken bool
	// done gets one outcome.
	done chan outcome
}

// outcome is what becomes of a job.
type outcome struct {
	reply []byte
	err   error
	// turn means that the caller has a slot, and calls by itself.
	turn bool
	// again means that the job's batch failed.
	again bool
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

// enqueue puts a call at the end of the queue. The lock is held.
func (b *batcher) enqueue(ctx context.Context, call plugin.Call) *job {
	j := &job{ctx: ctx, call: call, done: make(chan outcome, 1)}
	b.waiting = append(b.waiting, j)
	return j
}

// wait waits for a job's outcome.
func (b *batcher) wait(ctx context.Context, j *job) ([]byte, error) {
	for {
		select {
		case o := <-j.done:
			switch {
			case o.turn:
				return b.alone(ctx, j.call)
			case o.again:
				retry := j.call
				retry.Attempt = max(retry.Attempt, 1) + 1 // which keeps it alone
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

// abandon gives up waiting.
func (b *batcher) abandon(j *job) {
	b.mu.Lock()
	if i := slices.Index(b.waiting, j); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
		b.mu.Unlock()
		return
	}
	taken := j.taken
	b.mu.Unlock()
	if taken { // a slot is on its way to who does not want it any more
		<-j.done
		b.release()
	}
}

// alone makes a call in a slot that it has, and gives the slot back.
func (b *batcher) alone(ctx context.Context, call plugin.Call) ([]byte, error) {
	defer b.release()
	return b.Runner.Call(ctx, call)
}

// release hands a slot on to who waits.
func (b *batcher) release() {
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

// take removes the first job from the queue, which must not be empty, and with it those that go into one
// batch. The lock is held.
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

// joinable reports whether a job may go with others: not when its last try failed.
func joinable(j *job) bool { return j.call.Attempt <= 1 }

// run makes one call for several jobs, in a slot that it gives back.
func (b *batcher) run(jobs []*job) {
	outcomes := make([]outcome, len(jobs))
	for i := range outcomes {
		outcomes[i].again = true
	}
	defer func() {
		// Whatever happened: nobody waits for ever, and the slot is not lost. What made the guest's host
		// panic on a batch comes up again on a caller's own stack, when its request goes alone.
		_ = recover()
		for i, j := range jobs {
			j.done <- outcomes[i]
		}
		b.release()
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

// send makes the call. Its error means that nothing is known of any of the jobs.
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

// settle remembers how a batch ended. While batches keep failing, fewer and fewer are tried.
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

// together returns a context that ends when no caller waits any more. Its values are the first one's.
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

// outcomes makes a batch's reply what the export reconcile would have answered to each request.
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
