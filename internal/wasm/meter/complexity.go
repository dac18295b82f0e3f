// SPDX-License-Identifier: Apache-2.0

package meter

// A compiler tracks the values of a function at each point where control flow paths join: it keeps a phi function for
// every value that may differ between the paths, and liveness information for every value that is live across the
// point. The cost of a function therefore depends on its values (locals, and operands that blocks pass on) times its
// joins (blocks, and the labels of its br_table instructions), whatever the number of its instructions.

// values returns how many values may be live at a join.
func (b *body) values() uint64 { return uint64(b.locals) + uint64(b.widest) + 1 }

// joins returns how many points there are where paths join.
func (b *body) joins() uint64 { return b.blocks + b.targets + 1 }

// complexity returns values times joins. The largest function of tree-sitter's grammars has 128,000, of esbuild
// 130,000, of swc 470,000.
func (b *body) complexity() uint64 { return b.values() * b.joins() }

// compileCost returns an upper bound of the cost of compiling the function. The compiler visits a phi function
// repeatedly if it leads to the next one around a loop in a loop, so the bound has one factor more than complexity.
// Functions that are crafted to be as slow as possible take wazero 1.12 up to 0.4 µs per unit. Real functions take
// hundreds of times less.
func (b *body) compileCost() uint64 {
	values, joins := b.values(), b.joins()
	return uint64(b.instructions) + values*joins*(values+joins)
}
