// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// trackWindow is how many of a revision's last calls count.
	trackWindow = 10
	// trackBound is how many of them make it a failing one.
	trackBound = 5
	// trackProof is how many calls show that a revision is sound.
	trackProof = 20
)

// Verdict is what a revision's calls say of it.
type Verdict int

// Verdicts.
const (
	// Unproven means that there were too few calls to tell.
	Unproven Verdict = iota
	// Sound means that there were enough, and it was never failing.
	Sound
	// Failing means that half of the last calls failed, or more.
	Failing
)

// Track remembers how the last calls of one revision ended.
type Track struct {
	// changed is called after the verdict has changed; it must not block.
	changed func()

	mu      sync.Mutex
	last    [trackWindow]bool // true for a failure
	calls   int
	failed  int // of last
	verdict Verdict
	cause   error
}

// NewTrack returns the track of a new revision. After each change of its verdict, changed is called,
// which must not block; it may be nil.
func NewTrack(changed func()) *Track { return &Track{changed: changed} }

// Runner returns a Runner that tracks what it runs.
func (t *Track) Runner(next Runner) Runner { return &tracked{Runner: next, track: t} }

// Verdict returns what the calls so far say, and the last failure if they say Failing.
func (t *Track) Verdict() (Verdict, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.verdict != Failing {
		return t.verdict, nil
	}
	return t.verdict, t.cause
}

// add counts a call that ended with an error, or nil.
func (t *Track) add(err error) {
	t.mu.Lock()
	before := t.verdict
	at := t.calls % trackWindow
	if t.last[at] {
		t.failed--
	}
	t.last[at] = err != nil
	if t.calls++; err != nil {
		t.failed++
		t.cause = err
	}
	switch {
	case t.failed >= trackBound:
		t.verdict = Failing
	case t.verdict == Failing && t.failed > trackWindow/5:
		// It stays failing until it is clearly better.
	case t.calls >= trackProof:
		t.verdict = Sound
	default:
		t.verdict = Unproven
	}
	after := t.verdict
	t.mu.Unlock()
	if after != before && t.changed != nil {
		t.changed()
	}
}

// tracked tracks a revision's calls.
type tracked struct {
	Runner
	track *Track
}

// Call implements Runner.
func (r *tracked) Call(ctx context.Context, call Call) ([]byte, error) {
	reply, err := r.Runner.Call(ctx, call)
	switch {
	case err == nil, IsFault(err) && !Ended(ctx), isInternal(call.Export, err):
		r.track.add(err)
	case KindOf(err) == KindGuest:
		r.track.add(nil) // an answer, such as NotFound, Conflict or Invalid
	}
	return reply, err
}

// isInternal reports whether a guest answered that something is wrong with itself. SDKs answer so for a
// panic, and for errors that have no reason. To refuse a request, a guest need give none.
func isInternal(export string, err error) bool {
	var call *CallError
	if !errors.As(err, &call) || call.Status == nil {
		return false
	}
	switch call.Status.Reason {
	case metav1.StatusReasonInternalError:
		return true
	case metav1.StatusReasonUnknown:
		return !InAdmission(export)
	default:
		return false
	}
}
