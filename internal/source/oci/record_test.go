// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// TestSource_pullRecord shows when an artifact was pulled, and how long that took: neither a poll, nor a restart, nor
// another plugin is a pull, as long as the cache has everything.
func TestSource_pullRecord(t *testing.T) {
	t.Parallel()
	const took = 3 * time.Second
	r := newRig(t, rigOptions{})
	r.registry.Push(t, "one", "latest", r.module)
	r.proxy.Set(faults.On("GET", "/blobs/", func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		r.clock.SetTime(r.clock.Now().Add(took))
		next.ServeHTTP(w, req)
	}))
	polled := request("n", r.proxy.Address()+"/one:latest")
	first := r.expect(t, polled, r.module).Pull
	if !first.At.Equal(testingTime.Add(took)) || first.Took != took || first.Bytes <= int64(len(r.module)) {
		t.Errorf("got %+v, want a pull that ended %s after %s, with the module and its manifest", first, took, testingTime)
	}
	same := func(what string, got Result, want Pull) {
		t.Helper()
		if diff := cmp.Diff(want, got.Pull); diff != "" {
			t.Errorf("%s: -want +got:\n%s", what, diff)
		}
	}
	poll := func() Result {
		t.Helper()
		r.clock.SetTime(r.clock.Now().Add(2 * defaultPoll))
		return r.resolves(t, polled, r.clock.Now())
	}
	same("after a poll", poll(), first)
	r.end()
	r.clock.SetTime(r.clock.Now().Add(time.Minute))
	r.start(t, rigOptions{}, r.dir)
	same("after a restart", r.expect(t, polled, r.module), first)
	same("after the poll that follows it", r.resolves(t, polled, r.clock.Now()), first)
	same("of another namespace", r.expect(t, request("other", r.proxy.Address()+"/one:latest"), r.module), Pull{})

	t.Log("the tag moves, and moves back")
	another := append(slices.Clone(r.module), 0)
	r.registry.Push(t, "one", "latest", another)
	r.clock.SetTime(r.clock.Now().Add(2 * defaultPoll))
	if second := r.expect(t, polled, another).Pull; !second.At.After(first.At) || second.Took != took {
		t.Errorf("got %+v after %+v", second, first)
	}
	r.registry.Push(t, "one", "latest", r.module)
	same("of what the cache has had", poll(), first)
}

// resolves fetches until the registry was asked at a time.
func (r *rig) resolves(t *testing.T, req Request, at time.Time) (got Result) {
	t.Helper()
	testenv.Eventually(t, "the tag is resolved", func(ctx context.Context) (err error) {
		if got, err = r.Fetch(ctx, req); err == nil && !got.ResolvedAt.Equal(at) {
			err = fmt.Errorf("it was resolved at %s, not at %s", got.ResolvedAt, at)
		}
		return err
	})
	return got
}

// TestSource_polledAt shows when the tag was polled last: once per interval, also while the registry is down.
func TestSource_polledAt(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	interval := int32(60)
	req := r.request
	req.Source.PollIntervalSeconds = &interval
	if got := r.expect(t, req, r.module); !got.PolledAt.Equal(testingTime) {
		t.Errorf("after the first pull: %s", got.PolledAt)
	}
	<-r.changes
	r.proxy.Set(faults.Status(http.StatusInternalServerError))
	var polls []time.Time
	for end := testingTime.Add(10 * time.Minute); r.clock.Now().Before(end); {
		_, _ = r.Fetch(t.Context(), req)
		got, err := r.Fetch(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if got.Again == 0 { // a poll runs
			<-r.changes
			continue
		}
		if !got.ResolvedAt.Equal(testingTime) {
			t.Errorf("it was resolved at %s", got.ResolvedAt)
		}
		polls = append(polls, got.PolledAt)
		r.clock.SetTime(r.clock.Now().Add(got.Again))
	}
	attempts := len(polls)
	polls = slices.Compact(polls)
	for i := 1; i < len(polls); i++ {
		if d := polls[i].Sub(polls[i-1]); d < time.Minute {
			t.Errorf("poll %d was %s after the previous one", i, d)
		}
	}
	if len(polls) < 4 || attempts <= len(polls) {
		t.Errorf("got the polls %v of %d attempts, want some, and fewer than attempts", polls, attempts)
	}
	r.proxy.Set(nil)
	if got := r.resolves(t, req, r.clock.Now()); !got.PolledAt.Equal(r.clock.Now()) {
		t.Errorf("after the registry is back: %s", got.PolledAt)
	}
}

// counts are the pulls that were counted.
type counts struct {
	mu    sync.Mutex
	pulls []string
	bytes int64
	took  time.Duration
}

// Begin implements Metrics.
func (*counts) Begin(string) {}

// Pulled implements Metrics.
func (c *counts) Pulled(_, result string, bytes, _ int64, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulls, c.bytes, c.took = append(c.pulls, result), c.bytes+bytes, c.took+took
}

// TestSource_counted counts each pull once, with its reason and what it downloaded, however it ended.
func TestSource_counted(t *testing.T) {
	t.Parallel()
	failing := func(reason string, parts ...string) func(*testing.T, *rig) {
		return func(t *testing.T, r *rig) { t.Helper(); r.reject(t, r.request, reason, parts...) }
	}
	// running starts a pull that hangs after its manifest, and ends it.
	running := func(end func(*testing.T, *rig)) func(*testing.T, *rig) {
		return func(t *testing.T, r *rig) {
			t.Helper()
			hangs := make(chan struct{})
			var once sync.Once
			r.proxy.Set(faults.On("GET", "/blobs/", func(w http.ResponseWriter, req *http.Request, next http.Handler) {
				once.Do(func() { close(hangs) })
				faults.Hang(w, req, next)
			}))
			_, _ = r.Fetch(t.Context(), r.request)
			<-hangs
			end(t, r)
		}
	}
	for name, tc := range map[string]struct {
		act    func(*testing.T, *rig)
		result string
		bytes  string // none, some or all
	}{
		"succeeded": {func(t *testing.T, r *rig) { t.Helper(); r.expect(t, r.request, r.module) }, pluginsv1alpha1.ReasonSucceeded, "all"},
		"does not exist": {func(t *testing.T, r *rig) {
			t.Helper()
			r.request.Source.Reference += "0"
			failing(pluginsv1alpha1.ReasonArtifactNotFound)(t, r)
		}, pluginsv1alpha1.ReasonArtifactNotFound, "none"},
		"two credentials": {func(t *testing.T, r *rig) {
			t.Helper()
			r.proxy.Set(basic("ada:secret"))
			as(r.proxy.Address(), "ada:guess")(&r.request)
			as(r.proxy.Address()+"/one", "ada:wrong")(&r.request)
			failing(pluginsv1alpha1.ReasonUnauthorized)(t, r)
		}, pluginsv1alpha1.ReasonUnauthorized, "none"},
		"not a module": {func(t *testing.T, r *rig) {
			t.Helper()
			r.registry.Push(t, "one", "v1", []byte(strings.Repeat("text ", 20_000)))
			failing(pluginsv1alpha1.ReasonNoModule)(t, r)
		}, pluginsv1alpha1.ReasonNoModule, "all"},
		"forgotten": {running(func(_ *testing.T, r *rig) { r.Forget(r.request.Plugin) }), ResultCanceled, "some"},
		"changed": {running(func(t *testing.T, r *rig) {
			t.Helper()
			changed := r.request
			changed.Source.Reference = "registry.example/not allowed"
			if _, err := r.Fetch(t.Context(), changed); err == nil {
				t.Error("it is valid")
			}
		}), ResultCanceled, "some"},
		"stopped": {running(func(_ *testing.T, r *rig) { r.end() }), ResultCanceled, "some"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := &counts{}
			r := newRig(t, rigOptions{options: func(o *Options) { o.Metrics = got }})
			tc.act(t, r)
			testenv.Eventually(t, "the pull is counted", func(context.Context) error {
				got.mu.Lock()
				defer got.mu.Unlock()
				if len(got.pulls) == 0 {
					return errors.New("it is not")
				}
				return nil
			})
			r.end() // all pulls have ended
			if diff := cmp.Diff([]string{tc.result}, got.pulls); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			amount := "none"
			switch {
			case got.bytes >= int64(len(r.module)):
				amount = "all"
			case got.bytes > 0:
				amount = "some"
			}
			if amount != tc.bytes {
				t.Errorf("%d bytes were counted, want %s", got.bytes, tc.bytes)
			}
		})
	}
}
