// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"cmp"
	"time"
)

// Limits bound one compilation.
type Limits struct {
	// CPU is how much processor time it may take, all threads together.
	CPU time.Duration
	// Memory is how many bytes of data it may hold.
	Memory int64
}

const (
	// DefaultCPU and cpuPerMiB are what a module of a size may take. wazero 1.12 needs 2 s for each MiB of the slowest
	// real modules that were tried (tree-sitter grammars, canvaskit, esbuild, swc) on a busy machine with 2 cores.
	DefaultCPU = 8 * time.Second
	cpuPerMiB  = 5 * time.Second
	// wallPerCPU is how much longer than its processor time a compilation may take, on a machine that has no time
	// for it.
	wallPerCPU = 10
	// DefaultMemory is enough for the largest real module that was tried: 365 MiB for 18 MB.
	DefaultMemory = 512 << 20
)

// limitsFor returns the limits of a module of a size.
func (p Process) limitsFor(bytes int) Limits {
	return Limits{
		CPU:    cmp.Or(p.CPU, DefaultCPU) + time.Duration(bytes)*cpuPerMiB/(1<<20),
		Memory: cmp.Or(p.Memory, DefaultMemory),
	}
}
