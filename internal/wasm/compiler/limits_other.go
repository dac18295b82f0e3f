// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package compiler

// enforce leaves it to the parent's clock to stop this process.
func (Limits) enforce() error { return nil }
