// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci/blobs"
)

// The delays between attempts grow from minBackoff to maxBackoff, as those of the kubelet for images.
const (
	minBackoff = 5 * time.Second
	maxBackoff = 5 * time.Minute
)

// task keeps one plugin's artifact up to date.
type task struct {
	name types.NamespacedName
	// number is unique.
	number int64
	// id changes with everything that a pull depends on.
	id   string
	job  job
	poll time.Duration

	mu     sync.Mutex
	cancel context.CancelFunc
	ended  bool
	// pulled is whether a pull has succeeded since the task exists.
	pulled  bool
	failure *plugin.LoadError
	// polled is when the last poll failed, if it did.
	polled time.Time
	// failures counts those in a row, and next is when the next attempt is due; zero means at once. concluded is when the
	// last one ended.
	failures  int
	next      time.Time
	concluded time.Time
	// pause is how long the registry asked to wait.
	pause time.Duration
}

// ownerOf pins what a plugin uses, until the next artifact is used.
func ownerOf(name types.NamespacedName) blobs.Owner {
	return blobs.Owner{Namespace: name.Namespace, Name: name.Name}
}

// owner pins what the task's pull has downloaded, until the plugin uses it.
func (t *task) owner() blobs.Owner {
	return blobs.Owner{Namespace: t.name.Namespace, Name: t.name.Name, Pull: t.number}
}

// id distinguishes credentials, CAs and everything else that a job has besides its reference.
func (j job) id() [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%t|%x|%v", j.access.insecure, sha256.Sum256(j.access.roots), j.access.keyring)
	for _, required := range j.signatures {
		fmt.Fprintf(h, "|%q", required.ID)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// due starts a pull if it is time for one: the cache does not have the module, the permission has to be proven again, or
// the tag is to be polled.
func (t *task) due(s *Source, cached bool, a Artifact) {
	now := s.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next.IsZero() && t.failures == 0 {
		switch {
		case !cached && t.pulled: // what succeeded is not there any more, which must not repeat without a pause
			t.next = t.concluded.Add(jitter(minBackoff))
		case !cached:
		case t.job.follow && !t.pulled: // the operator has started
		case t.job.follow && t.poll > 0:
			t.next = a.ResolvedAt.Add(jitter(t.poll))
		default:
			t.next = a.provenAt.Add(provenFor)
		}
	}
	if t.cancel != nil || t.ended || now.Before(t.next) {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if !s.begin(func(base context.Context) {
		defer cancel()
		defer context.AfterFunc(base, cancel)()
		t.run(ctx, s)
	}) { // Start notifies the plugin
		cancel()
		return
	}
	t.cancel = cancel
}

// run pulls once.
func (t *task) run(ctx context.Context, s *Source) {
	release, err := s.slots.acquire(ctx, pullKey{namespace: t.name.Namespace, registry: t.job.reference.Registry, repository: t.job.reference.Repository})
	if err != nil {
		t.canceled(s, &account{}, 0)
		return
	}
	defer release()
	start := s.clock.Now()
	limited, cancel := context.WithTimeout(ctx, s.puller.registries.timeouts.pull) // without the time in the queue
	defer cancel()
	j := t.job
	j.access.now, j.access.throttled = s.clock.Now, t.throttle
	if t.poll == 0 && t.hasPulled() { // only the permission is proven again
		j.follow = false
	}
	a, err := s.puller.pull(limited, t.owner(), j)
	took := s.clock.Since(start)
	if err != nil && ctx.Err() != nil {
		t.canceled(s, a, took)
		return
	}
	t.conclude(s, a, took, err)
}

// canceled records a pull that the operator ended. It is no failure of the registry.
func (t *task) canceled(s *Source, a *account, took time.Duration) {
	t.mu.Lock()
	t.cancel = nil
	s.puller.cache.Unpin(t.owner())
	t.mu.Unlock()
	s.metrics.Pulled(t.name.String(), ResultCanceled, a.bytes, a.hits, took)
}

func (t *task) throttle(wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pause = max(t.pause, wait)
}

// conclude records the result of a pull.
func (t *task) conclude(s *Source, a *account, took time.Duration, err error) {
	now := s.clock.Now()
	t.mu.Lock()
	t.cancel, t.concluded = nil, now
	if err == nil {
		t.pulled, t.failure, t.failures, t.pause, t.next = true, nil, 0, 0, time.Time{}
	} else {
		if t.poll > 0 && (t.failures == 0 || now.Sub(t.polled) >= t.poll) {
			t.polled = now
		}
		t.failure = problemOf(err, t.job.reference, 1, t.job.access.keyring)
		backoff := min(minBackoff<<min(t.failures, 10), maxBackoff)
		t.next = now.Add(max(jitter(backoff), t.pause))
		t.failures++
		t.pause = 0
	}
	ended := t.ended
	if ended || err != nil {
		s.puller.cache.Unpin(t.owner())
	}
	result := pluginsv1alpha1.ReasonSucceeded
	if t.failure != nil {
		result = t.failure.Reason
	}
	t.mu.Unlock()
	s.metrics.Pulled(t.name.String(), result, a.bytes, a.hits, took)
	if !ended {
		s.changed(t.name)
	}
}

// again returns the delay until the next attempt is due; 0 means none.
func (t *task) again(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel != nil || t.next.IsZero() {
		return 0
	}
	return max(t.next.Sub(now), time.Second)
}

func (t *task) hasPulled() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pulled
}

func (t *task) lastFailure() *plugin.LoadError {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failure
}

// lastPoll returns when the tag was last polled, given when that last succeeded. It is zero if the tag is not polled.
func (t *task) lastPoll(resolvedAt time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.poll == 0:
		return time.Time{}
	case t.polled.After(resolvedAt):
		return t.polled
	default:
		return resolvedAt
	}
}

// used ends the pins of what was pulled, because the plugin's own pins have replaced them.
func (t *task) used(cache *blobs.Dir) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel == nil { // otherwise a pull of something else runs
		cache.Unpin(t.owner())
	}
}

// end cancels the task's pull, whose pins end with it.
func (t *task) end(cache *blobs.Dir) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if t.cancel != nil {
		t.cancel()
		return
	}
	cache.Unpin(t.owner())
}

// jitter adds up to a tenth, so that plugins that started together do not poll together.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/10+1) } //nolint:gosec // it is no secret
