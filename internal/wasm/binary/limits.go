// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"errors"
	"fmt"
)

// ErrLimit is returned for a module that is well-formed as far as it was read, but exceeds a limit of this package.
var ErrLimit = errors.New("beyond what k1s takes")

// Limits of a module. They are the limits on which all browsers have agreed (WebAssembly JavaScript Interface,
// "Implementation-defined Limits"), so toolchains do not build modules that exceed them. They are lower where each
// element costs every instance memory outside its linear memory, and higher for data segments, because the Go linker
// creates many.
const (
	maxTypes        = 1_000_000
	maxFunctions    = 1_000_000
	maxImports      = 1_000
	maxExports      = 100_000
	maxGlobals      = 100_000
	maxTables       = 100
	maxParams       = 1_000 // and the same number of results
	maxBody         = 7_654_321
	maxLocals       = 50_000 // of one function
	maxElements     = 100_000
	maxDataSegments = 1_000_000
	maxMemories     = 100 // more than one needs the multi-memory proposal, which is reported up to this count

	// The following are totals of the module.
	maxAllLocals     = 20_000_000
	maxElementInits  = 1_000_000
	maxTableElements = MaxTableElements
)

// MaxTableElements is the maximum number of initial elements in all tables of a module together, and the maximum size
// to which CapTables limits each table.
const MaxTableElements = 1_000_000

// within adds to a sum and returns ErrLimit if the sum exceeds a limit. Limits are checked before memory is allocated
// for the counted elements.
func within(what string, sum *uint64, add, limit uint64) error {
	if *sum += add; add > limit || *sum > limit {
		return fmt.Errorf("%w: more than %d %s", ErrLimit, limit, what)
	}
	return nil
}
