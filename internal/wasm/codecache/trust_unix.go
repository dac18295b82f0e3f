// SPDX-License-Identifier: Apache-2.0

//go:build unix

package codecache

import (
	"io/fs"
	"os"
	"syscall"
)

// Mode bits that allow others than the owner to write.
const (
	groupWrites fs.FileMode = 0o020
	othersWrite fs.FileMode = 0o002
)

func trustOf(info fs.FileInfo) trust {
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok, int(owner.Uid) != os.Geteuid(), info.Mode()&othersWrite != 0:
		return foreign
	case info.Mode()&groupWrites == 0:
		return trusted
	case int(owner.Gid) == os.Getegid():
		return doubtful
	default:
		return foreign
	}
}
