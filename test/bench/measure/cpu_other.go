// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package measure

import "time"

// cpuTime returns 0, because the CPU time is unknown on this platform.
func cpuTime() time.Duration { return 0 }
