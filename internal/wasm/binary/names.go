// SPDX-License-Identifier: Apache-2.0

package binary

// nameSection is the custom section with the names of functions and locals (core 2.0, section 7.4.1).
const nameSection = "name"

// Subsections of the name section. The engine ignores the others.
const (
	namesModule = iota
	namesFunctions
	namesLocals
)

// names checks the name section. The engine reads it too, for the names in the stack trace of a trap, and rejects a
// malformed name section, although the WebAssembly specification says to ignore it.
func names(c *Cursor) {
	for c.Left() > 0 {
		id := c.Byte()
		sub := &Cursor{Bytes: c.Take(c.U32())}
		switch id {
		case namesModule:
			sub.Name()
		case namesFunctions:
			nameMap(sub, maxFunctions)
		case namesLocals:
			sub.counted("functions with names of locals", maxFunctions, func() {
				sub.U32() // the function index
				nameMap(sub, maxLocals+maxParams)
			})
		default:
			continue
		}
		if sub.Left() > 0 {
			sub.Failf("a subsection of names is longer than it says")
		}
		if sub.Err != nil {
			c.Fail(sub.Err)
		}
	}
}

// nameMap reads a vector of indices and names.
func nameMap(c *Cursor, limit uint64) {
	c.counted("names", limit, func() {
		c.U32()
		c.Name()
	})
}
