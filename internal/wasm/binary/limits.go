// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"errors"
	"fmt"
)

// ErrLimit means that a module is well-formed so far as it was read, but larger in some respect than
// this package lets through.
var ErrLimit = errors.New("beyond what k1s takes")

// Limits of a module. They are those that all browsers have agreed on (WebAssembly JavaScript
// Interface, "Implementation-defined Limits"), so that no toolchain makes a module beyond them; lower
// where an instance pays for each element outside its linear memory, and higher for data segments, of
// which the Go linker makes many.
const (
	maxTypes        = 1_000_000
	maxFunctions    = 1_000_000
	maxImports      = 1_000
	maxExports      = 100_000
	maxGlobals      = 100_000
	maxTables       = 100
	maxParams       = 1_000 // and as many results
	maxBody         = 7_654_321
	maxLocals       = 50_000 // of one function
	maxElements     = 100_000
	maxDataSegments = 1_000_000
	maxMemories     = 100 // more than one are a proposal, which is named up to here

	// These are sums over the module.
	maxAllLocals     = 20_000_000
	maxElementInits  = 1_000_000
	maxTableElements = MaxTableElements
)

// MaxTableElements is the most elements that all tables of a module may have at the start, and the
// most that CapTables lets one table grow to.
const MaxTableElements = 1_000_000

// within adds to a number that must stay within a limit. A limit is checked before anything is
// reserved for what it counts.
func within(what string, sum *uint64, add, limit uint64) error {
	if *sum += add; add > limit || *sum > limit {
		return fmt.Errorf("%w: more than %d %s", ErrLimit, limit, what)
	}
	return nil
}
