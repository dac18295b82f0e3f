// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
)

// timeout is far longer than anything takes, because machines are shared.
const timeout = 3 * time.Minute

// watched is a running Watcher.
type watched struct {
	plugins

	changes <-chan struct{}
}

// watch starts a Watcher with short intervals, and receives the notification at its start.
func watch(t *testing.T, dir string, change ...func(*Watcher)) watched {
	t.Helper()
	w := NewWatcher(New(dir, 1<<20), logr.Discard())
	w.settle, w.rescanInterval = 20*time.Millisecond, 50*time.Millisecond
	for _, f := range change {
		f(w)
	}
	changes := w.Subscribe()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the watcher ended with: %v", err)
		}
	})
	return watched{plugins: plugins{t: t, dir: dir}, changes: changes}
}

// wait waits for a notification.
func (w watched) wait(what string) {
	w.t.Helper()
	select {
	case <-w.changes:
	case <-time.After(timeout):
		w.t.Fatalf("%s: nothing was told", what)
	}
}

// calm waits until there has been no notification for a while.
func (w watched) calm() {
	w.t.Helper()
	for {
		select {
		case <-w.changes:
		case <-time.After(500 * time.Millisecond):
			return
		}
	}
}

func TestWatcher_changes(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	p.mkdir("sub")
	w := watch(t, p.dir)
	w.wait("start")
	path := func(name string) string { return filepath.Join(p.dir, name) }
	steps := []struct {
		name string
		do   func() error
	}{
		{"create", func() error { return os.WriteFile(path("a.wasm"), []byte("1"), 0o600) }},
		{"modify", func() error { return os.WriteFile(path("a.wasm"), []byte("2"), 0o600) }},
		{"replace", func() error {
			if err := os.WriteFile(path(".a.tmp"), []byte("3"), 0o600); err != nil {
				return err
			}
			return os.Rename(path(".a.tmp"), path("a.wasm"))
		}},
		{"rename", func() error { return os.Rename(path("a.wasm"), path("b.wasm")) }},
		{"delete", func() error { return os.Remove(path("b.wasm")) }},
		{"create in a folder", func() error { return os.WriteFile(path("sub/c.wasm"), []byte("1"), 0o600) }},
		{"create a folder", func() error { return os.Mkdir(path("new"), 0o700) }},
		{"create in the new folder", func() error { return os.WriteFile(path("new/d.wasm"), []byte("1"), 0o600) }},
		{"modify in the new folder", func() error { return os.WriteFile(path("new/d.wasm"), []byte("2"), 0o600) }},
		{"remove a folder", func() error { return os.RemoveAll(path("new")) }},
		{"after all that", func() error { return os.WriteFile(path("e.wasm"), []byte("1"), 0o600) }},
	}
	for _, s := range steps {
		w.calm()
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		w.wait(s.name)
	}
}

// kubelet writes files into a mounted ConfigMap as the kubelet does: each name is a symbolic link through ..data, which
// is replaced atomically.
func (p plugins) kubelet(version string, files map[string]string) {
	p.t.Helper()
	p.mkdir(version)
	for name, text := range files {
		p.write(filepath.Join(version, name), text)
		if _, err := os.Lstat(filepath.Join(p.dir, name)); err != nil {
			p.link(filepath.Join("..data", name), name)
		}
	}
	old, _ := os.Readlink(filepath.Join(p.dir, "..data"))
	p.link(version, "..data_tmp")
	if err := os.Rename(filepath.Join(p.dir, "..data_tmp"), filepath.Join(p.dir, "..data")); err != nil {
		p.t.Fatal(err)
	}
	if old != "" {
		if err := os.RemoveAll(filepath.Join(p.dir, old)); err != nil {
			p.t.Fatal(err)
		}
	}
}

func TestWatcher_kubelet(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	p.kubelet("..1", map[string]string{"a.wasm": "one", "a-plugin.yaml": "name: a\npath: a.wasm\n"})
	w := watch(t, p.dir)
	w.wait("start")
	for i, text := range []string{"two", "three"} {
		w.calm()
		p.kubelet(fmt.Sprintf("..%d", i+2), map[string]string{"a.wasm": text, "a-plugin.yaml": "name: a\npath: a.wasm\nversion: " + text + "\n"})
		w.wait("swap")
		found := p.discover()
		if len(found.Problems) > 0 || names(found) != "a" || found.Definitions[0].Version != text {
			t.Errorf("got %+v", found)
		}
		if got, err := p.source().Fetch(t.Context(), "a.wasm"); err != nil || string(got.Bytes) != text {
			t.Errorf("got %q, %v", got.Bytes, err)
		}
	}
}

// TestWatcher_linkSwap replaces a symbolic link in the path of the directory, as tools that follow a Git repository do.
func TestWatcher_linkSwap(t *testing.T) {
	t.Parallel()
	top := plugins{t: t, dir: t.TempDir()}
	top.mkdir("one/plugins")
	top.mkdir("two/plugins")
	top.link("one", "current")
	w := watch(t, filepath.Join(top.dir, "current", "plugins"))
	w.wait("start")
	w.calm()
	top.link("two", "next")
	if err := os.Rename(filepath.Join(top.dir, "next"), filepath.Join(top.dir, "current")); err != nil {
		t.Fatal(err)
	}
	w.wait("swap")
	w.calm()
	top.write("two/plugins/a.wasm", "module")
	w.wait("create behind the new link")
}

// TestWatcher_later creates the directory, removes it, and creates it again.
func TestWatcher_later(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	p.dir = filepath.Join(p.dir, "later")
	w := watch(t, p.dir)
	for range 2 {
		w.wait("before it is there") // the Watcher re-checks the path
		p.mkdir("")
		w.calm()
		p.write("a.wasm", "module")
		w.wait("create")
		w.calm()
		if err := os.RemoveAll(p.dir); err != nil {
			t.Fatal(err)
		}
		w.wait("remove")
	}
}

// TestWatcher_coalesce checks that many changes cause one notification, when the directory has been quiet since the
// last of them.
func TestWatcher_coalesce(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	const settle = time.Minute
	var mu sync.Mutex
	var waits []chan time.Time // the timers of settle, one for each event
	w := watch(t, p.dir, func(w *Watcher) {
		w.settle, w.settleMost, w.rescanInterval = settle, time.Hour, time.Hour
		w.after = func(d time.Duration) <-chan time.Time {
			c := make(chan time.Time, 1)
			if d == settle {
				mu.Lock()
				defer mu.Unlock()
				waits = append(waits, c)
			}
			return c
		}
	})
	w.wait("start")
	const changes = 300
	for i := range changes {
		p.write(fmt.Sprintf("%d.wasm", i), "module")
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	give := time.After(timeout)
	for fired := 0; ; {
		select {
		case <-w.changes:
			if fired == 0 {
				t.Error("it was told before the directory was quiet")
			}
			return
		case <-give:
			t.Fatalf("nothing was notified of %d events", len(waits))
		case <-tick.C:
		}
		mu.Lock()
		if n := len(waits); n >= changes && n > fired { // quiet since the last event, until the next one
			waits[n-1] <- time.Time{}
			fired = n
		}
		mu.Unlock()
	}
}

// TestWatcher_neverQuiet checks that a file that is written to all the time does not delay the notification forever.
func TestWatcher_neverQuiet(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	w := watch(t, p.dir, func(w *Watcher) {
		w.settle, w.settleMost, w.rescanInterval = time.Hour, 100*time.Millisecond, time.Hour
	})
	w.wait("start")
	for range 2 {
		p.write("a.wasm", "module")
		w.wait("create")
	}
}

// TestWatcher_subscribers checks that all subscribers are notified of a change, and that one that does not receive does
// not block the others.
func TestWatcher_subscribers(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	var second <-chan struct{}
	w := watch(t, p.dir, func(w *Watcher) { w.Subscribe(); second = w.Subscribe() })
	w.wait("start")
	<-second
	w.calm()
	p.write("a.wasm", "module")
	w.wait("create")
	watched{plugins: p, changes: second}.wait("create, the other one")
}
