// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
)

// distinct adds a custom section to a module, which changes nothing but the digest.
func distinct(m plugin.Module, number int) plugin.Module {
	name := fmt.Sprintf("n%03d", number)
	section := append([]byte{0, byte(1 + len(name)), byte(len(name))}, name...)
	return plugin.NewModule(append(append([]byte{}, m.Bytes...), section...))
}

// size returns the size of the cache directory in bytes.
func size(tb testing.TB, dir string) int64 {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		tb.Fatal(err)
	}
	var total int64
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil {
			tb.Fatal(err)
		}
		total += info.Size()
	}
	return total
}

// TestEngine_cacheSize verifies that new versions of plugins do not fill the disk, and that a loaded plugin keeps
// serving after its code was removed.
func TestEngine_cacheSize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, _ := newEngine(t, func(o *Options) { o.CacheDir = dir })
	load(t, one, "modes")
	each := size(t, dir)
	if each == 0 {
		t.Fatal("nothing is kept")
	}

	most := 5 * each
	e, _ := newEngine(t, func(o *Options) {
		o.CacheDir, o.MaxCacheBytes, o.RestAfter = dir, most, time.Millisecond
	})
	serving := load(t, e, "modes", func(r *plugin.LoadRequest) { r.Limits.IdleTimeout = 0 })
	for i := range 20 {
		load(t, e, "modes", func(r *plugin.LoadRequest) { r.Module = distinct(r.Module, i) })
		if got := size(t, dir); got > most {
			t.Fatalf("%d bytes are kept after %d modules, more than %d", got, i+1, most)
		}
	}
	if got := size(t, dir); got < most/2 {
		t.Errorf("%d bytes are kept: more was removed than had to be", got)
	}
	if got := calls(t, serving); got != 1 {
		t.Errorf("call %d of a plugin whose code was removed from the disk, want 1", got)
	}

	small, _ := newEngine(t, func(o *Options) { o.CacheDir, o.MaxCacheBytes = dir, each })
	if got := size(t, dir); got > each {
		t.Errorf("%d bytes are kept after a start with a bound of %d", got, each)
	}
	load(t, small, "modes")
}
