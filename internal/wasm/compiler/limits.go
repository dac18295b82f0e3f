// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"cmp"
	"time"
)

// Limits are the limits of one compilation.
type Limits struct {
	// CPU is the maximum processor time of all threads together.
	CPU time.Duration
	// Memory is the maximum number of bytes of data.
	Memory int64
}

const (
	// DefaultCPU is the default processor time limit, to which cpuPerMiB adds for each MiB of the module. wazero 1.12
	// needs 2 s for each MiB of the slowest real modules that were tested (tree-sitter grammars, canvaskit, esbuild,
	// swc) on a busy machine with 2 cores.
	DefaultCPU = 8 * time.Second
	cpuPerMiB  = 5 * time.Second
	// wallPerCPU is the factor between the limit of wall-clock time and the limit of processor time. It allows for a
	// busy machine.
	wallPerCPU = 20
	// DefaultMemory is enough for the largest real module that was tested: 365 MiB for 18 MB.
	DefaultMemory = 512 << 20
)

// limitsFor returns the limits for a module of the given size in bytes.
func (p Process) limitsFor(bytes int) Limits {
	return Limits{
		CPU:    cmp.Or(p.CPU, DefaultCPU) + time.Duration(bytes)*cpuPerMiB/(1<<20),
		Memory: cmp.Or(p.Memory, DefaultMemory),
	}
}
