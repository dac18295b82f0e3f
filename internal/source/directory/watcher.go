// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
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
	// lookAgain is how often a directory that cannot be watched, such as one that is not there yet,
	// is looked at.
	lookAgain = 5 * time.Second
)

// Watcher tells when something in the directory changed. It is a manager.Runnable.
type Watcher struct {
	dir string
	log logr.Logger

	mu          sync.Mutex
	subscribers []chan struct{}
}

// NewWatcher makes a Watcher of the directory of a Source.
func NewWatcher(s *Source, log logr.Logger) *Watcher {
	return &Watcher{dir: s.dir, log: log}
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

// Start watches until the context ends.
func (w *Watcher) Start(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := w.watch(ctx); err != nil {
			w.log.V(1).Info("Cannot watch the plugin directory", "directory", w.dir, "error", err.Error())
		}
		// What happened between two watches was missed, so say that something may have.
		select {
		case <-ctx.Done():
		case <-time.After(lookAgain):
			w.tell()
		}
	}
	return nil
}

// watch watches until the context ends, or the directory or the watch is gone.
func (w *Watcher) watch(ctx context.Context) error {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("make a file watch: %w", err)
	}
	defer func() { _ = notify.Close() }()
	if err := w.addFolders(notify); err != nil {
		return err
	}
	w.tell()
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-notify.Errors:
			return fmt.Errorf("watch the plugin directory: %w", err)
		case <-notify.Events:
			quiet = time.After(settle)
		case <-quiet:
			quiet = nil
			if err := w.addFolders(notify); err != nil { // folders may have come
				return err
			}
			w.tell()
		}
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
