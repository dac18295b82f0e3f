// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// sleeping reports whether a revision holds nothing but its file.
func sleeping(r *revision) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live == 0 && r.code == nil && r.image == nil
}

// restless sets an option with which a revision without instances sleeps at once.
func restless(o *Options) { o.RestAfter = time.Millisecond }

func notIdle(req *plugin.LoadRequest) { req.Limits.IdleTimeout = 0 }

// TestRevision_sleep verifies that a revision that is not called holds no instance, no image and no code, and that its
// next call succeeds, even if the cache directory was emptied meanwhile.
func TestRevision_sleep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, _ := newEngine(t, restless, func(o *Options) { o.CacheDir = dir })
	r := load(t, e, "minimal", notIdle)
	rev := r.(*runner).revision
	for round := range 3 {
		if _, err := r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte("{}")}); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		eventually(t, "the revision sleeps", func() bool { return sleeping(rev) })
		eventually(t, "its code is released", func() bool { return e.modules.Len() == 0 })
		if round == 1 {
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range entries {
				if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestRevision_sleep_underCalls verifies that calls succeed that arrive while a revision goes to sleep, or concurrently
// while it sleeps.
func TestRevision_sleep_underCalls(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, restless, func(o *Options) { o.CacheDir = t.TempDir() })
	r := load(t, e, "minimal", notIdle, func(req *plugin.LoadRequest) { req.Limits.MaxInstances = 4 })
	rev := r.(*runner).revision
	for range 50 {
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				if _, err := r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte("{}")}); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if !sleeping(rev) {
			continue // calls it again while it goes to sleep
		}
	}
	eventually(t, "the revision sleeps", func() bool { return sleeping(rev) })
}

// TestRevision_sleep_notWithoutCache verifies that code is kept without a cache directory, because it could not be read
// again.
func TestRevision_sleep_notWithoutCache(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, restless)
	r := load(t, e, "minimal", notIdle)
	rev := r.(*runner).revision
	if _, err := r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	rev.mu.Lock()
	defer rev.mu.Unlock()
	if rev.live != 0 || rev.rest != nil || rev.code == nil {
		t.Errorf("%d instances, resting %v, code %v", rev.live, rev.rest != nil, rev.code != nil)
	}
}

// TestRunner_instancePolicy verifies that a call does not see the state of earlier calls with PerCall, and that it does
// with Pooled.
func TestRunner_instancePolicy(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	for policy, want := range map[plugin.InstancePolicy]uint32{"": 3, plugin.InstancePooled: 3, plugin.InstancePerCall: 1} {
		for _, fixture := range []string{"modes", "counter"} { // the first is not restorable, the second is
			r := load(t, e, fixture, func(req *plugin.LoadRequest) { req.Limits.InstancePolicy = policy })
			var got uint32
			for range 3 {
				got = calls(t, r)
			}
			if got != want {
				t.Errorf("%s, policy %q: the third call is the instance's call %d, want %d", fixture, policy, got, want)
			}
			copied := r.(*runner).image != nil
			if copied != (fixture == "counter") {
				t.Errorf("%s: instances are copies: %v", fixture, copied)
			}
		}
	}
}

// TestEngine_thousandIdle verifies that a thousand idle plugins hold no instance, no code and no goroutine, and that
// each of them replies when it is called.
func TestEngine_thousandIdle(t *testing.T) {
	const plugins = 1000
	e, _ := newEngine(t, restless, func(o *Options) { o.CacheDir = t.TempDir() })
	before := runtime.NumGoroutine()
	module := fixture(t, "minimal").Bytes
	runners := make([]plugin.Runner, plugins)
	for i := range runners {
		req := request(t, "minimal")
		// The custom section gives every module a different digest.
		req.Module = plugin.NewModule(append(slices.Clone(module), 0, 6, 1, 'n', byte(i>>8), byte(i), 0, 0))
		req.Limits.IdleTimeout = 0
		r, _, err := e.Load(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close(context.Background()) })
		runners[i] = r
	}
	eventually(t, "all of them sleep", func() bool {
		return !slices.ContainsFunc(runners, func(r plugin.Runner) bool { return !sleeping(r.(*runner).revision) })
	})
	eventually(t, "no code is held", func() bool { return e.modules.Len() == 0 })
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before+2 })
	for i, r := range runners {
		if _, err := r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte("{}")}); err != nil {
			t.Fatalf("plugin %d: %v", i, err)
		}
	}
}

// TestRevision_noSnapshot verifies that the instances of a module that disables snapshots run its own initialization.
func TestRevision_noSnapshot(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "counter", func(req *plugin.LoadRequest) {
		req.NoSnapshot = true
		req.Limits.InstancePolicy = plugin.InstancePerCall
	})
	for range 3 {
		if got := calls(t, r); got != 1 {
			t.Errorf("call %d of its instance, want 1", got)
		}
	}
	if r.(*runner).image != nil {
		t.Error("there is an image")
	}
}
