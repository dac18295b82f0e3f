// SPDX-License-Identifier: Apache-2.0

package meter

// A compiler works with the values of a function at each place where its paths meet: for every value that may be
// another one there, it keeps a phi function, and for every value that lives across, a note. So what counts of a
// function are its values (locals, and operands that blocks hand on) times its joins (blocks, and the labels of its
// br_table), whatever the number of its instructions.

// values is how many values may meet.
func (b *body) values() uint64 { return uint64(b.locals) + uint64(b.widest) + 1 }

// joins is how many places there are where paths meet.
func (b *body) joins() uint64 { return b.blocks + b.targets + 1 }

// complexity is values times joins. The largest function of tree-sitter's grammars has 128,000, of esbuild 130,000, of
// swc 470,000.
func (b *body) complexity() uint64 { return b.values() * b.joins() }

// compileCost is an upper bound of what compiling the function costs. A phi function that leads to the next, around a
// loop in a loop, is looked at again and again, so the bound has one factor more than complexity. Functions made to be
// as slow as they can be take wazero 1.12 up to 0.4 µs for a unit; real ones hundreds of times less.
func (b *body) compileCost() uint64 {
	values, joins := b.values(), b.joins()
	return uint64(b.instructions) + values*joins*(values+joins)
}
