// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package wasm

import (
	"io/fs"
	"time"
)

// usedAt is when a file was written.
func usedAt(info fs.FileInfo) time.Time { return info.ModTime() }
