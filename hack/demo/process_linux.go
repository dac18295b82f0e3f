// SPDX-License-Identifier: Apache-2.0

package main

import "syscall"

// ownGroup protects a child process from the terminal's Ctrl-C, and kills it if the demo is killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
