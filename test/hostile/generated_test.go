// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"fmt"
	"math"
	"strings"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

const million = 1_000_000

// generated returns modules that are too large to commit, or that no assembler would write.
func generated() []attack {
	// rotating returns a module that rotates the given number of locals in the given number of nested loops, for which
	// the work of the compiler is more than the product of both numbers.
	rotating := func(locals, loops int) []byte {
		rotate := each(locals, func(i int) []byte { return cat(opLocalGet, (i+1)%locals, opLocalSet, i) })
		return made(1, locals, typeI32, times(loops, opLoop, noType), rotate, times(loops, opLocalGet, 0, opBranchIf, 0, opEnd), opEnd)
	}
	invalid := func(name, want string, build func() []byte) attack {
		return attack{name: name, at: describes, reason: pluginsv1alpha1.ReasonInvalidModule, want: want, build: build}
	}
	// unsound modules parse, but are not valid, which only the compiler detects.
	unsound := func(name, want string, build func() []byte) attack {
		return attack{name: name, at: loads, reason: pluginsv1alpha1.ReasonCompileFailed, want: want, build: build}
	}
	noWasm := func(name, want string, bytes string) attack {
		return attack{name: name, at: describes, reason: pluginsv1alpha1.ReasonNotWasm, want: want, build: func() []byte { return []byte(bytes) }}
	}
	harmless := func(name string, build func() []byte) attack {
		return attack{name: name, at: succeeds, build: build, pages: 300}
	}
	// built modules are easy to write and expensive to compile.
	built := func(name string, build func() []byte) attack {
		return attack{name: name, at: builds, build: build, pages: 300}
	}
	return []attack{
		// Modules that are large in one respect.
		invalid("locals_million", "more than 50000 locals in a function", func() []byte {
			return made(1, million, typeI64, opEnd)
		}),
		invalid("locals_overflow", "more than 50000 locals in a function", func() []byte {
			return made(2, math.MaxUint32, typeI64, math.MaxUint32, typeI64, opEnd)
		}),
		built("locals_most", func() []byte {
			body := each(50_000, func(i int) []byte { return cat(opI64Const, 1, opLocalSet, i) })
			return made(1, 50_000, typeI64, body, opEnd)
		}),
		built("blocks_deep", func() []byte {
			return made(0, times(50_000, opBlock, noType), times(50_000, opEnd), opEnd)
		}),
		built("ifs_deep", func() []byte {
			return made(0, times(20_000, opI32Const, 1, opIf, noType), times(20_000, opEnd), opEnd)
		}),
		built("loops_deep", func() []byte {
			return made(0, times(20_000, opLoop, noType), times(20_000, opEnd), opEnd)
		}),
		built("loops_many", func() []byte {
			return made(0, times(50_000, opLoop, noType, opEnd), opEnd)
		}),
		built("phis_nested", func() []byte { return rotating(10_000, 300) }),
		{
			name: "phis_few", at: loads, reason: pluginsv1alpha1.ReasonCompileFailed, want: "it takes more than", most: 64 << 20,
			build: func() []byte { return rotating(1000, 100) },
		},
		built("branch_table_million", func() []byte {
			return made(0, opI32Const, 7, opBranchTable, million, times(million, 0), 0, opEnd)
		}),
		built("branch_table_targets", func() []byte {
			targets := each(5_000, func(i int) []byte { return cat(i) })
			return made(0, times(5_000, opBlock, noType), opI32Const, 7, opBranchTable, 5_000, targets, 0, times(5_000, opEnd), opEnd)
		}),
		built("straight", func() []byte {
			return made(0, opI64Const, 1, times(200_000, opI64Const, 1, opI64Add), opDrop, opEnd)
		}),
		built("functions_many", func() []byte {
			return changed(func(p *parts) {
				const n = 30_000
				p.sections[sectionFunction] = cat(n+4, []byte{0, 1, 2, 3}, times(n, 3))
				p.sections[sectionCode] = cat(n+4, p.sections[sectionCode][1:], times(n, 2, 0, opEnd))
			})
		}),
		harmless("data_large", func() []byte {
			return changed(func(p *parts) {
				p.sections[sectionMemory] = cat(1, 0, 300)
				p.sections[sectionData] = cat(1, 0, opI32Const, 0, opEnd, strings.Repeat("x", 16<<20))
			})
		}),
		harmless("data_many", func() []byte {
			return changed(func(p *parts) {
				p.sections[sectionData] = cat(100_000, times(100_000, 0, opI32Const, 0, opEnd, 1, 'x'))
			})
		}),
		harmless("customs_many", func() []byte {
			return changed(func(p *parts) {
				for i := range 100_000 {
					p.customs = append(p.customs, cat(fmt.Sprintf("custom %d", i)))
				}
			})
		}),
		invalid("types_many", "more than 1000000 types", func() []byte {
			return changed(func(p *parts) { p.sections[sectionType] = cat(million+1, times(million+1, typeFunction, 0, 0)) })
		}),
		invalid("params_many", "more than 1000 ", func() []byte {
			return changed(func(p *parts) {
				p.sections[sectionType] = cat(5, p.sections[sectionType][1:], typeFunction, 1001, times(1001, typeI64), 0)
			})
		}),
		invalid("imports_many", "more than 1000 imports", func() []byte {
			return changed(func(p *parts) {
				p.sections[sectionImport] = cat(1001, each(1001, func(int) []byte { return cat("k1s", "k1s_now", 0, 0) }))
			})
		}),
		invalid("exports_many", "more than 100000 exports", func() []byte {
			return changed(func(p *parts) {
				p.sections[sectionExport] = cat(100_001, each(100_001, func(i int) []byte { return cat(fmt.Sprint(i), 0, 0) }))
			})
		}),
		{
			name: "metadata_large", at: describes, reason: pluginsv1alpha1.ReasonInvalidMetadata, want: "more than the 262144 allowed",
			build: func() []byte {
				return changed(func(p *parts) { p.customs[0] = cat("k1s.metadata", []byte(strings.Repeat(" ", 16<<20))) })
			},
		},

		// A memory that cannot have a single page, so that no input fits into it.
		{
			name: "memory_none", at: fails, kind: plugin.KindViolation, want: "outside the memory of 0 bytes", hopeless: true,
			build: func() []byte {
				return changed(func(p *parts) { p.sections[sectionMemory] = []byte{1, 1, 0, 0} })
			},
		},

		// Frames whose size a counter of calls would not take into account.
		{
			name: "frames_large", at: fails, kind: plugin.KindTrap, want: tooDeep,
			build: func() []byte {
				const n = 5_000
				set := each(n, func(i int) []byte { return cat(opI32Const, 0, []byte{0xfd, 0x00, 4, 0}, opLocalSet, i) })
				use := each(n, func(i int) []byte { return cat(opI32Const, 0, opLocalGet, i, []byte{0xfd, 0x0b, 4, 0}) })
				return made(1, n, typeV128, set, opCall, trickFunction, use, opEnd)
			},
		},
		{
			name: "results_many", at: fails, kind: plugin.KindTrap, want: tooDeep,
			build: func() []byte {
				p := newParts(cat(0, opCall, 4, times(1000, opDrop), opEnd))
				p.sections[sectionType] = cat(5, p.sections[sectionType][1:], typeFunction, 0, 1000, times(1000, typeI64))
				p.sections[sectionFunction] = []byte{5, 0, 1, 2, 3, 4}
				p.sections[sectionCode] = cat(5, p.sections[sectionCode][1:], sized(cat(0, opCall, 4, opEnd)))
				return p.module()
			},
		},

		// Modules with false declarations.
		unsound("data_count_lies", "", func() []byte {
			return changed(func(p *parts) {
				p.sections[sectionDataCount] = cat(7)
				p.sections[sectionData] = cat(1, 1, "x")
			})
		}),
		unsound("data_count_huge", "", func() []byte {
			return changed(func(p *parts) { p.sections[sectionDataCount] = cat(math.MaxUint32) })
		}),
		invalid("code_count_lies", "code section", func() []byte {
			return changed(func(p *parts) { p.sections[sectionCode][0] = 5 })
		}),
		invalid("functions_huge", "more than 1000000 functions", func() []byte {
			return changed(func(p *parts) { p.sections[sectionFunction] = cat(math.MaxUint32) })
		}),
		invalid("body_lies", "code section", func() []byte {
			return changed(func(p *parts) { p.sections[sectionCode][1]++ })
		}),
		invalid("section_lies", "only 3 are left", func() []byte {
			return append(changed(func(*parts) {}), cat(sectionCustom, math.MaxUint32, "ab")...)
		}),
		invalid("number_long", "", func() []byte {
			return append(changed(func(*parts) {}), sectionCustom, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)
		}),
		invalid("names_huge", "name", func() []byte {
			return changed(func(p *parts) { p.customs = append(p.customs, cat("name", 1, sized(cat(math.MaxUint32)))) })
		}),
		{
			name: "names_long", at: fails, kind: plugin.KindTrap, want: "unreachable in AAA",
			build: func() []byte {
				p := newParts([]byte{0, opUnreachable, opEnd})
				p.customs = append(p.customs, cat("name", 1, sized(cat(1, trickFunction, strings.Repeat("A", million)))))
				return p.module()
			},
		},
		harmless("names_of_nothing", func() []byte {
			return changed(func(p *parts) { p.customs = append(p.customs, cat("name", 1, sized(cat(1, math.MaxUint32, "nobody")))) })
		}),
		unsound("stack_underflow", "", func() []byte { return made(0, opDrop, opEnd) }),
		unsound("branch_nowhere", "", func() []byte { return made(0, opBranch, 9, opEnd) }),
		unsound("call_nobody", "", func() []byte { return made(0, opCall, 1000, opEnd) }),

		// Bytes that are not modules.
		noWasm("empty", "holds nothing (0 bytes), not a WebAssembly module", ""),
		noWasm("half_magic", "holds the first 6 bytes of a WebAssembly module", "\x00asm\x01\x00"),
		noWasm("rubbish", "holds an HTML page, not a WebAssembly module", "<!DOCTYPE html><title>404</title>"),
		noWasm("component", "WebAssembly component", "\x00asm\x0d\x00\x01\x00"),
		invalid("version_2", "binary format version 2", func() []byte { return []byte("\x00asm\x02\x00\x00\x00") }),
		{name: "nothing", at: describes, reason: pluginsv1alpha1.ReasonMissingABIVersion, want: "k1s_abi_version", build: func() []byte { return []byte("\x00asm\x01\x00\x00\x00") }},
		invalid("cut", "are left", func() []byte { m := changed(func(*parts) {}); return m[:len(m)/2] }),
	}
}
