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
	// settle is how long a directory must be quiet after a change before subscribers are notified, because files are
	// written in several steps.
	settle = 200 * time.Millisecond
	// settleMost is the maximum time for which a series of changes delays the notification.
	settleMost = 5 * time.Second
	// rescanInterval is the interval at which the path of the directory itself is re-checked. The file watch does not notice
	// that a directory appears, or that a symbolic link in its path changes.
	rescanInterval = 5 * time.Second
)

var errMoved = errors.New("another directory is in the place of the plugin directory")

// Watcher notifies subscribers when something in the directory changes. It implements manager.Runnable.
type Watcher struct {
	dir string
	log logr.Logger
	// The constants above, which tests replace.
	settle, settleMost, rescanInterval time.Duration
	// after is time.After, which tests replace.
	after func(time.Duration) <-chan time.Time

	mu          sync.Mutex
	subscribers []chan struct{}
}

// NewWatcher returns a Watcher for the directory of a Source.
func NewWatcher(s *Source, log logr.Logger) *Watcher {
	return &Watcher{dir: s.dir, log: log, settle: settle, settleMost: settleMost, rescanInterval: rescanInterval, after: time.After}
}

// Subscribe returns a channel that receives a value after every change. Changes that have not been received yet are
// merged into one.
func (w *Watcher) Subscribe() <-chan struct{} {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subscribers = append(w.subscribers, c)
	return c
}

// NeedLeaderElection implements manager.LeaderElectionRunnable. Every replica loads plugins, so it returns false.
func (w *Watcher) NeedLeaderElection() bool { return false }

// Start watches the directory until the context ends.
func (w *Watcher) Start(ctx context.Context) error {
	for {
		err := w.watch(ctx)
		if errors.Is(err, errMoved) {
			continue // and watch the new directory
		}
		if err != nil {
			w.log.V(1).Info("Cannot watch the plugin directory", "directory", w.dir, "error", err.Error())
		}
		// Changes between two watches were missed, so notify the subscribers in any case.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.rescanInterval):
			w.notify()
		}
	}
}

// watch watches until the context ends, or until the directory or the file watch fails.
func (w *Watcher) watch(ctx context.Context) error {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("make a file watch: %w", err)
	}
	defer func() { _ = notify.Close() }()
	place, err := os.Stat(w.dir) // before watching, so that a replacement in the meantime is noticed
	if err != nil {
		return fmt.Errorf("find the plugin directory: %w", err)
	}
	if err := w.addFolders(notify); err != nil {
		return err
	}
	w.notify()
	look := time.NewTicker(w.rescanInterval)
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
		if err := w.addFolders(notify); err != nil { // there may be new folders
			return err
		}
		w.notify()
	}
}

// addFolders watches the directory and every folder below it, because a file watch is not recursive.
func (w *Watcher) addFolders(notify *fsnotify.Watcher) error {
	root, err := filepath.EvalSymlinks(w.dir)
	if err != nil {
		return fmt.Errorf("find the plugin directory: %w", err)
	}
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) && path != root {
				return nil // it was removed during the walk
			}
			return err
		}
		if e.IsDir() {
			return notify.Add(path)
		}
		return nil
	})
}

// notify notifies the subscribers.
func (w *Watcher) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.subscribers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
