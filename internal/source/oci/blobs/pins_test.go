// SPDX-License-Identifier: Apache-2.0

package blobs

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
)

// pinned pins a file of a size for an owner, and returns its path.
func pinned(t *testing.T, d *Dir, owner Owner, size int64) string {
	t.Helper()
	of := digest.FromString(fmt.Sprint(owner))
	path := d.blobPath(of)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil { // it takes no space
		t.Fatal(err)
	}
	d.Pin(owner, owner.Name, []digest.Digest{of})
	return path
}

// expectPinned checks which of some files are pinned.
func expectPinned(t *testing.T, d *Dir, files []string, want ...int) {
	t.Helper()
	got := []int{}
	for i, file := range files {
		if d.Pinned()[file] {
			got = append(got, i)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the files %v are pinned, want %v", got, want)
	}
}

// TestDir_Pinned shows that one namespace, and all of them, can pin only a limited size. Those that are there first
// stay, and what plugins use comes before what is being pulled.
func TestDir_Pinned(t *testing.T) {
	t.Parallel()
	const third = maxNamespacePinned / 3
	d, _ := open(t)
	files := []string{pinned(t, d, Owner{"shop", "pulled", 1}, third)}
	for i := range 3 {
		files = append(files, pinned(t, d, Owner{"shop", fmt.Sprint(i), 0}, third))
	}
	expectPinned(t, d, files, 1, 2, 3)
	files = append(files, pinned(t, d, Owner{"shop", "late", 0}, third))
	expectPinned(t, d, files, 1, 2, 3)
	pinned(t, d, Owner{"shop", "1", 0}, third) // again
	expectPinned(t, d, files, 1, 2, 3)
	d.Unpin(Owner{"shop", "1", 0})
	expectPinned(t, d, files, 1, 3, 4)
	d.Unpin(Owner{"shop", "late", 0})
	expectPinned(t, d, files, 0, 1, 3)

	for i := range maxPinned / maxNamespacePinned {
		files = append(files, pinned(t, d, Owner{fmt.Sprint("other", i), "plugin", 0}, maxNamespacePinned))
	}
	expectPinned(t, d, files, 0, 1, 3, 5, 6, 7) // the smallest one fits
}

// TestDir_Pinned_shared shows that a file which several namespaces need stays until the last of them has gone.
func TestDir_Pinned_shared(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	of := digest.FromString("shared")
	for _, namespace := range []string{"a", "b"} {
		d.Pin(Owner{Namespace: namespace, Name: "plugin"}, namespace, []digest.Digest{of})
	}
	d.Unpin(Owner{Namespace: "a", Name: "plugin"})
	expectPinned(t, d, []string{d.blobPath(of), d.recordPath("a"), d.recordPath("b")}, 0, 2)
}
