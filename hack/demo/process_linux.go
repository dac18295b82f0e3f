// SPDX-License-Identifier: Apache-2.0

package main

import "syscall"

// ownGroup keeps a terminal's Ctrl-C from a child, and ends the child if the demo is killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
