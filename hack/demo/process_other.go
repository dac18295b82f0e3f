// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !windows

package main

import "syscall"

// ownGroup protects a child process from the terminal's Ctrl-C.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
