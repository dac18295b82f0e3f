// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"io/fs"
	"syscall"
	"time"
)

// usedAt is when a file was last read or written, as far as the file system says: many note the first read after a
// write, and one a day from then on.
func usedAt(info fs.FileInfo) time.Time {
	written := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if read := time.Unix(stat.Atim.Unix()); read.After(written) {
			return read
		}
	}
	return written
}
