// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package codecache

import "io/fs"

// trustOf trusts every file, because file modes do not show here who can write it.
func trustOf(fs.FileInfo) trust { return trusted }
