// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// trackWindow is the number of a revision's last calls that are evaluated.
	trackWindow = 10
	// trackBound is the number of failures among them at which a revision is failing.
	trackBound = 5
	// trackProof is the number of calls after which a revision is sound.
	trackProof = 20
)

// Verdict is the evaluation of a revision's calls.
type Verdict int

// The verdicts.
const (
	// Unproven means that there were too few calls to evaluate the revision.
	Unproven Verdict = iota
	// Sound means that there were enough calls, and that the revision is not failing, or no longer.
	Sound
	// Failing means that at least half of the last calls failed.
	Failing
)

// Track records the results of the last calls of one revision.
type Track struct {
	// changed is called after the verdict has changed. It must not block.
	changed func()

	mu      sync.Mutex
	last    [trackWindow]bool // true for a failure
	calls   int
	failed  int // number of failures in last
	verdict Verdict
	cause   error
}

// NewTrack returns a Track for a new revision. It calls changed after each change of the verdict. The function must not
// block and may be nil.
func NewTrack(changed func()) *Track { return &Track{changed: changed} }

// Runner returns a Runner that records the calls of next.
func (t *Track) Runner(next Runner) Runner { return &tracked{Runner: next, track: t} }

// Verdict returns the evaluation of the calls so far, and the last failure if the verdict is Failing.
func (t *Track) Verdict() (Verdict, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.verdict != Failing {
		return t.verdict, nil
	}
	return t.verdict, t.cause
}

// add records a call that ended with err, which may be nil.
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
		// The verdict stays Failing until the calls are clearly better.
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

// tracked is a Runner that records its calls in a Track.
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
		r.track.add(nil) // the guest returned an error such as NotFound, Conflict or Invalid
	}
	return reply, err
}

// isInternal reports whether a guest returned an error about itself. SDKs return InternalError for a panic, and no
// reason for errors without one. An admission request can be denied without a reason, so that does not count there.
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
