// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// niceness gives everything else priority, because compiling is never urgent.
const niceness = 5

// enforce sets the limits for this process in the kernel.
func (l Limits) enforce() error {
	seconds := uint64((l.CPU + time.Second - 1) / time.Second)
	for resource, most := range map[int]uint64{
		unix.RLIMIT_CPU:  seconds,
		unix.RLIMIT_DATA: uint64(l.Memory), // private writable memory, without what Go reserves and does not use
		unix.RLIMIT_CORE: 0,
	} {
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return os.NewSyscallError("setrlimit", err)
		}
	}
	// Priority and OOM score only help others. Where they cannot be set, the limits still hold.
	lowerPriority()
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	return nil
}

// lowerPriority sets the niceness of all threads: in Linux it belongs to a thread, and new threads inherit that of the
// thread that starts them.
func lowerPriority() {
	threads, _ := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		if id, err := strconv.Atoi(thread.Name()); err == nil {
			_ = unix.Setpriority(unix.PRIO_PROCESS, id, niceness)
		}
	}
}
