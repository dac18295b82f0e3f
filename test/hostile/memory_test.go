// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// usage is the memory and the goroutines of the process. Sizes are in bytes.
type usage struct {
	heap, resident uint64
	goroutines     int
}

func measure() usage {
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	u := usage{heap: stats.HeapAlloc, goroutines: runtime.NumGoroutine()}
	// The second field of statm is the number of resident pages. Without statm, only the heap is checked.
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			pages, _ := strconv.ParseUint(fields[1], 10, 64)
			u.resident = pages * uint64(os.Getpagesize())
		}
	}
	return u
}

// peakResident returns the maximum resident memory of the process in bytes so far, or 0 if it is unknown.
func peakResident() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if peak, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(peak), "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

func (u usage) String() string {
	return fmt.Sprintf("heap %d KiB, resident %d KiB, %d goroutines", u.heap>>10, u.resident>>10, u.goroutines)
}

// exceeds returns an error if the process holds much more than before.
func (u usage) exceeds(before usage) error {
	switch {
	case u.heap > before.heap+heapMargin, u.resident > before.resident+residentMargin, u.goroutines > before.goroutines+goroutineMargin:
		return fmt.Errorf("what was taken was not given back: %s, before: %s", u, before)
	}
	return nil
}

// settle waits until the process holds about as much as before, or gives up. The engine keeps compiled code for half a
// minute after its last use.
func settle(before usage) (usage, error) {
	give := time.Now().Add(timeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		now := measure()
		err := now.exceeds(before)
		if err == nil || time.Now().After(give) {
			return now, err
		}
		<-tick.C
	}
}
