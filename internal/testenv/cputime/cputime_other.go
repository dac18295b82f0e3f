// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package cputime

import "time"

var start = time.Now()

// Now returns the time since the process began, of which its processor time is a part.
func Now() time.Duration { return time.Since(start) }
