// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package cputime

import "time"

var start = time.Now()

// Now returns the wall-clock time since the process started, as a substitute for its processor time.
func Now() time.Duration { return time.Since(start) }
