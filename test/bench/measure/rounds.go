// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Subject is something that is called repeatedly.
type Subject struct {
	Name string
	// Callers is the number of concurrent callers.
	Callers int
	// Open prepares the subject. All callers then call Call, each with its own number, starting at 0.
	Open func(context.Context) (*Opened, error)
}

// Opened is a prepared subject.
type Opened struct {
	// Call does one call and checks its result.
	Call func(ctx context.Context, caller int) error
	// Before and After, if set, are called around each turn.
	Before, After func()
	// Close, if set, releases the subject.
	Close func() error
}

// Plan defines how long the subjects are measured.
type Plan struct {
	Rounds int
	// Turn is how long each subject is called in a round, and before the first round for warm-up.
	Turn time.Duration
	// Progress, if set, is called with what is measured next.
	Progress func(string)
}

// Run measures the subjects in rounds, in the given order in each round. A subject that cannot be opened, or that
// fails, is skipped from then on, and failed has its error. The returned error is that of the context, or of closing
// the subjects.
func (p Plan) Run(ctx context.Context, subjects []Subject) (result map[string]Series, failed map[string]error, err error) {
	result, failed = map[string]Series{}, map[string]error{}
	opened := map[string]*Opened{}
	defer func() {
		for _, o := range opened {
			if o.Close != nil {
				err = errors.Join(err, o.Close())
			}
		}
	}()
	for _, s := range subjects {
		p.say("warming up " + s.Name)
		o, err := s.Open(ctx)
		if err == nil {
			opened[s.Name] = o
			_, err = p.turn(ctx, s, o)
		}
		if err != nil {
			failed[s.Name] = err
		}
	}
	for round := range p.Rounds {
		p.say(fmt.Sprintf("round %d of %d", round+1, p.Rounds))
		for _, s := range subjects {
			if failed[s.Name] != nil {
				continue
			}
			r, err := p.turn(ctx, s, opened[s.Name])
			if err != nil {
				failed[s.Name] = err
				delete(result, s.Name)
				continue
			}
			result[s.Name] = append(result[s.Name], r)
		}
		if ctx.Err() != nil {
			return result, failed, ctx.Err()
		}
	}
	return result, failed, nil
}

func (p Plan) say(what string) {
	if p.Progress != nil {
		p.Progress(what)
	}
}

// turn calls a subject for one turn with all of its callers.
func (p Plan) turn(ctx context.Context, s Subject, o *Opened) (Round, error) {
	callers := max(s.Callers, 1)
	times := make([][]time.Duration, callers)
	failed := make([]error, callers)
	if o.Before != nil {
		o.Before()
	}
	runtime.GC() // the garbage of the previous subject must not affect this one
	var wg sync.WaitGroup
	start, startCPU := time.Now(), CPUTime()
	end := start.Add(p.Turn)
	for caller := range callers {
		wg.Go(func() { times[caller], failed[caller] = callUntil(ctx, end, o.Call, caller) })
	}
	wg.Wait()
	took, tookCPU := time.Since(start), CPUTime()-startCPU
	if o.After != nil {
		o.After()
	}
	if err := errors.Join(failed...); err != nil {
		return Round{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	all := slices.Concat(times...)
	n := float64(len(all))
	r := Round{Calls: len(all), PerSecond: n / took.Seconds(), P50: Percentile(all, 50), P99: Percentile(all, 99)}
	if tookCPU > 0 {
		r.PerCPUSecond = n / tookCPU.Seconds()
	}
	return r, nil
}

// callUntil calls until the end of the turn, but at least once.
func callUntil(ctx context.Context, end time.Time, call func(context.Context, int) error, caller int) ([]time.Duration, error) {
	times := make([]time.Duration, 0, 1<<14)
	before := time.Now()
	for {
		if err := call(ctx, caller); err != nil {
			return nil, err
		}
		now := time.Now()
		times = append(times, now.Sub(before))
		if now.After(end) {
			return times, ctx.Err()
		}
		before = now
	}
}
