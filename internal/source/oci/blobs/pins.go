// SPDX-License-Identifier: Apache-2.0

package blobs

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

const (
	// settleTime is how long the files of the previous process are kept, because not all plugins have been loaded yet.
	settleTime = 10 * time.Minute
	// maxPinned limits the bytes that are pinned in all: to what is left when a cache of the default size is bounded.
	// Without a limit, the volume could become full, and the kubelet would evict the Pod. maxNamespacePinned limits those
	// of one namespace: to a module of the maximum size and some more. A standard Go module has 3 MiB.
	maxPinned          = 384 << 20
	maxNamespacePinned = 96 << 20
)

// Owner is a plugin that needs files.
type Owner struct {
	// Namespace and Name are those of the plugin.
	Namespace, Name string
	// Pull is unique for a pull that is still running, which needs what it has downloaded. It is 0 for what the plugin
	// uses.
	Pull int64
}

// pins are the files that plugins need to be loaded again without their registry.
type pins struct {
	mu sync.Mutex
	// owners have the files that each plugin needs.
	owners map[Owner]pin
	// count numbers the pins in the order of their first owners.
	count int64
	// inherited are the files that were there when the cache was opened, which is when opened was.
	inherited []string
	opened    time.Time
}

// pin is what one owner needs.
type pin struct {
	// number orders the pins: when there are too many, those that are there first stay.
	number int64
	paths  []string
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

// Pin keeps blobs and a record from being removed to limit the size of the cache, as far as maxPinned and
// maxNamespacePinned permit. It replaces what was pinned for the same owner before.
func (d *Dir) Pin(owner Owner, record string, blobs []digest.Digest) {
	paths := []string{d.recordPath(record)}
	for _, b := range blobs {
		paths = append(paths, d.blobPath(b))
	}
	d.pins.mu.Lock()
	defer d.pins.mu.Unlock()
	if d.pins.owners == nil {
		d.pins.owners = map[Owner]pin{}
	}
	number := d.pins.owners[owner].number
	if number == 0 {
		d.pins.count++
		number = d.pins.count
	}
	d.pins.owners[owner] = pin{number, paths}
}

// Unpin ends what Pin began.
func (d *Dir) Unpin(owner Owner) {
	d.pins.mu.Lock()
	defer d.pins.mu.Unlock()
	delete(d.pins.owners, owner)
}

// Pinned returns the paths of the files that must not be removed.
func (d *Dir) Pinned() map[string]bool {
	d.pins.mu.Lock()
	defer d.pins.mu.Unlock()
	b := budget{out: map[string]bool{}, most: maxPinned, namespaces: map[string]int64{}}
	owners := slices.SortedFunc(maps.Keys(d.pins.owners), func(x, y Owner) int {
		return cmp.Or(cmp.Compare(min(x.Pull, 1), min(y.Pull, 1)), cmp.Compare(d.pins.owners[x].number, d.pins.owners[y].number))
	})
	for _, owner := range owners { // what plugins use comes before what is being pulled
		b.add(owner.Namespace, d.pins.owners[owner].paths)
	}
	if time.Since(d.pins.opened) >= settleTime {
		d.pins.inherited = nil
	}
	for _, path := range d.pins.inherited {
		b.out[path] = true
	}
	return b.out
}

// budget is what may still be pinned.
type budget struct {
	out map[string]bool
	// most are the bytes of all namespaces that are left, and namespaces have those that each of them has pinned.
	most       int64
	namespaces map[string]int64
}

// add pins the files of one owner, all of them or none: a part of an artifact is of no use.
func (b *budget) add(namespace string, paths []string) {
	var size int64
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && !b.out[path] { // what is not there yet has no size
			size += info.Size()
		}
	}
	if size > b.most || b.namespaces[namespace]+size > maxNamespacePinned {
		return
	}
	b.most -= size
	b.namespaces[namespace] += size
	for _, path := range paths {
		b.out[path] = true
	}
}
