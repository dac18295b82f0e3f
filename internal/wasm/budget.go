// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"fmt"
	"sync"
)

// budget limits the linear memory of all instances, in bytes: in total and per namespace. It is safe for concurrent
// use.
type budget struct {
	// total and perNamespace are the limits. 0 means no limit.
	total, perNamespace uint64

	mu    sync.Mutex
	all   uint64
	spent map[string]uint64
}

// errBudget is the error for memory above a limit. It names the limit.
type errBudget struct {
	flag  string
	limit uint64
}

// Error names the flag that sets the limit.
func (e *errBudget) Error() string {
	whose := "all plugins"
	if e.flag == flagNamespaceMemory {
		whose = "the plugins of the namespace"
	}
	return fmt.Sprintf("%s hold as much memory as the operator's flag %s allows (%d MiB)", whose, e.flag, e.limit>>20)
}

// Flags of the operator that set the limits.
const (
	flagNamespaceMemory = "--max-namespace-memory"
	flagTotalMemory     = "--max-plugin-memory"
)

// take adds bytes to the memory of a namespace. If that would exceed a limit, it changes nothing and returns an
// *errBudget.
func (b *budget) take(namespace string, bytes uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.perNamespace > 0 && b.spent[namespace]+bytes > b.perNamespace {
		return &errBudget{flagNamespaceMemory, b.perNamespace}
	}
	if b.total > 0 && b.all+bytes > b.total {
		return &errBudget{flagTotalMemory, b.total}
	}
	if b.spent == nil {
		b.spent = map[string]uint64{}
	}
	b.all += bytes
	b.spent[namespace] += bytes
	return nil
}

// give subtracts bytes that take has added.
func (b *budget) give(namespace string, bytes uint64) {
	if bytes == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all -= bytes
	if b.spent[namespace] -= bytes; b.spent[namespace] == 0 {
		delete(b.spent, namespace)
	}
}
