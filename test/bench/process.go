// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
)

// settle returns memory that the process no longer uses to the operating system.
func settle() {
	for range 3 { // what the finalizers of one collection release is garbage for the next
		runtime.GC()
	}
	// One call is not always enough: it misses memory that is freed at the same time, which can be megabytes.
	for range 20 {
		debug.FreeOSMemory()
		var heap runtime.MemStats
		runtime.ReadMemStats(&heap)
		if heap.HeapIdle-heap.HeapReleased < 128<<10 {
			return
		}
	}
}

// memory returns the memory of this process in bytes: its anonymous pages, its share of mapped files, and its open
// memory files (memfd), mapped or not, such as the images of instances.
func memory() (int64, error) {
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, fmt.Errorf("memory is measured on Linux only: %w", err)
	}
	var total int64
	for line := range strings.Lines(string(text)) {
		for _, format := range []string{"Pss_Anon: %d kB", "Pss_File: %d kB"} {
			var kib int64
			if n, _ := fmt.Sscanf(line, format, &kib); n == 1 {
				total += kib << 10
			}
		}
	}
	const files = "/proc/self/fd"
	entries, err := os.ReadDir(files)
	seen := map[uint64]bool{}
	for _, e := range entries {
		path := filepath.Join(files, e.Name())
		if link, err := os.Readlink(path); err != nil || !strings.HasPrefix(link, "/memfd:") {
			continue
		}
		var stat syscall.Stat_t
		if err := syscall.Stat(path, &stat); err == nil && !seen[stat.Ino] {
			seen[stat.Ino] = true
			total += stat.Blocks * 512
		}
	}
	return total, err
}
