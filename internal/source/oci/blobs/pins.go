// SPDX-License-Identifier: Apache-2.0

package blobs

import (
	"path/filepath"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// settleTime is how long the files of the previous process are kept, because not all plugins have been loaded yet.
const settleTime = 10 * time.Minute

// pins are the files that plugins need to be loaded again without their registry.
type pins struct {
	mu sync.Mutex
	// owners have the paths that each plugin needs.
	owners map[string][]string
	// inherited are the files that were there when the cache was opened, which is when opened was.
	inherited []string
	opened    time.Time
}

// inherit pins all files for a while.
func (d *Dir) inherit() error {
	d.pins.opened = time.Now()
	for _, sub := range []string{blobsDir, recordsDir} {
		paths, err := filepath.Glob(filepath.Join(d.path, sub, "*"))
		if err != nil {
			return err
		}
		d.pins.inherited = append(d.pins.inherited, paths...)
	}
	return nil
}

// Pin keeps blobs and a record from being removed to limit the size of the cache. It replaces what was pinned for the
// same owner before.
func (d *Dir) Pin(owner, record string, blobs []digest.Digest) {
	paths := []string{d.recordPath(record)}
	for _, b := range blobs {
		paths = append(paths, d.blobPath(b))
	}
	d.pins.mu.Lock()
	defer d.pins.mu.Unlock()
	if d.pins.owners == nil {
		d.pins.owners = map[string][]string{}
	}
	d.pins.owners[owner] = paths
}

// Unpin ends what Pin began.
func (d *Dir) Unpin(owner string) {
	d.pins.mu.Lock()
	defer d.pins.mu.Unlock()
	delete(d.pins.owners, owner)
}

// Pinned returns the paths of the pinned files.
func (d *Dir) Pinned() map[string]bool {
	d.pins.mu.Lock()
	defer d.pins.mu.Unlock()
	out := map[string]bool{}
	if time.Since(d.pins.opened) < settleTime {
		for _, path := range d.pins.inherited {
			out[path] = true
		}
	} else {
		d.pins.inherited = nil
	}
	for _, paths := range d.pins.owners {
		for _, path := range paths {
			out[path] = true
		}
	}
	return out
}
