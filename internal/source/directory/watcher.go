// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/go-logr/logr"
)

const (
	// settle is how long a directory must be quiet before it counts as changed: files are written in
	// several steps.
	settle = 200 * time.Millisecond
	// settleMost is how long changes that follow each other are gathered before they are told of.
	settleMost = 5 * time.Second
	// lookAgain is how often the directory's own place is looked at. Nothing tells of a directory that
	// appears, or of a symbolic link on the way to it that leads elsewhere now.
	lookAgain = 5 * time.Second
)

var errMoved = errors.New("another directory is in the place of the plugin directory")

// Watcher tells when something in the directory changed. It is a manager.Runnable.
type Watcher struct {
	dir string
	log logr.Logger
	// The times that are the constants above, but for tests.
	settle, settleMost, lookAgain time.Duration
	// after is time.After, but for tests.
	after func(time.Duration) <-chan time.Time

	mu          sync.Mutex
	subscribers []chan struct{}
}

// NewWatcher makes a Watcher of the directory of a Source.
func NewWatcher(s *Source, log logr.Logger) *Watcher {
	return &Watcher{dir: s.dir, log: log, settle: settle, settleMost: settleMost, lookAgain: lookAgain, after: time.After}
}

// Subscribe returns a channel that gets a value after every change. Changes that nobody has taken
// from it yet are one.
func (w *Watcher) Subscribe() <-chan struct{} {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subscribers = append(w.subscribers, c)
	return c
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica loads plugins.
func (w *Watcher) NeedLeaderElection() bool { return false }

// Start watches until the context ends.
func (w *Watcher) Start(ctx context.Context) error {
	for {
		err := w.watch(ctx)
		if errors.Is(err, errMoved) {
			continue // and watch what is there now
		}
		if err != nil {
			w.log.V(1).Info("Cannot watch the plugin directory", "directory", w.dir, "error", err.Error())
		}
		// What happened between two watches was missed, so say that something may have.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.lookAgain):
			w.tell()
		}
	}
}

// watch watches until the context ends, or the directory or the watch is gone.
func (w *Watcher) watch(ctx context.Context) error {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("make a file watch: %w", err)
	}
	defer func() { _ = notify.Close() }()
	place, err := os.Stat(w.dir) // before it is watched: what takes its place meanwhile is noticed then
	if err != nil {
		return fmt.Errorf("find the plugin directory: %w", err)
	}
	if err := w.addFolders(notify); err != nil {
		return err
	}
	w.tell()
	look := time.NewTicker(w.lookAgain)
	defer look.Stop()
	var quiet, latest <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-notify.Errors:
			return fmt.Errorf("watch the plugin directory: %w", err)
		case <-look.C:
			now, err := os.Stat(w.dir)
			if err != nil {
				return fmt.Errorf("find the plugin directory: %w", err)
			}
			if !os.SameFile(place, now) {
				return errMoved
			}
			continue
		case <-notify.Events:
			quiet = w.after(w.settle)
			if latest == nil {
				latest = w.after(w.settleMost)
			}
			continue
		case <-quiet:
		case <-latest:
		}
		quiet, latest = nil, nil
		if err := w.addFolders(notify); err != nil { // folders may have come
			return err
		}
		w.tell()
	}
}

// addFolders watches the directory and every folder below it: a watch is not recursive.
func (w *Watcher) addFolders(notify *fsnotify.Watcher) error {
	root, err := filepath.EvalSymlinks(w.dir)
	if err != nil {
		return fmt.Errorf("find the plugin directory: %w", err)
	}
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) && path != root {
				return nil // it went while we walked
			}
			return err
		}
		if e.IsDir() {
			return notify.Add(path)
		}
		return nil
	})
}

// tell wakes the subscribers.
func (w *Watcher) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.subscribers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
