// SPDX-License-Identifier: Apache-2.0

package codecache

import (
	"io/fs"
	"syscall"
	"time"
)

// usedAt returns when a file was last read or written, as precisely as the file system records it: many record the
// first read after a write, and after that one read per day.
func usedAt(info fs.FileInfo) time.Time {
	written := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if read := time.Unix(stat.Atim.Unix()); read.After(written) {
			return read
		}
	}
	return written
}
