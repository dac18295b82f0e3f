// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
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

// memory returns the memory of a process in bytes: its anonymous pages, its share of mapped files, and its open memory
// files (memfd), mapped or not, such as the images of instances.
func memory(pid int) (int64, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	text, err := os.ReadFile(filepath.Join(dir, "smaps_rollup"))
	if err != nil {
		return 0, fmt.Errorf("memory is measured on Linux only: %w", err)
	}
	var total int64
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if name != "Pss_Anon" && name != "Pss_File" {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read smaps_rollup: %w", err)
		}
		total += kib << 10
	}
	files, err := memoryFiles(dir)
	return total + files, err
}

// memoryFiles returns the size in bytes of all memory files (memfd) that a process has open.
func memoryFiles(dir string) (int64, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return 0, err
	}
	seen := map[uint64]bool{}
	var total int64
	for _, e := range entries {
		path := filepath.Join(dir, "fd", e.Name())
		if link, err := os.Readlink(path); err != nil || !strings.HasPrefix(link, "/memfd:") {
			continue
		}
		var stat syscall.Stat_t
		if err := syscall.Stat(path, &stat); err == nil && !seen[stat.Ino] {
			seen[stat.Ino] = true
			total += stat.Blocks * 512
		}
	}
	return total, nil
}

// cpuTime returns the CPU time that a process has used.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("CPU time is measured on Linux only: %w", err)
	}
	// The name of the program, in parentheses, can contain any character. After it, utime and stime are the 12th and
	// 13th fields, in hundredths of a second.
	fields := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}
