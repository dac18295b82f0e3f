// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package codecache

import (
	"io/fs"
	"time"
)

// usedAt returns when a file was last written.
func usedAt(info fs.FileInfo) time.Time { return info.ModTime() }
