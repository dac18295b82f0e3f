// SPDX-License-Identifier: Apache-2.0

//go:build unix

package cputime

import (
	"syscall"
	"time"
)

// Now returns the processor time that this process has used, in all of its threads.
func Now() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // a wrong argument is the only possible error
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
