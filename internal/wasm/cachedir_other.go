// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package wasm

import "io/fs"

// trustOf trusts everything, as modes say nothing here about who may write.
func trustOf(fs.FileInfo) trust { return trusted }
