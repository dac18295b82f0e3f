// SPDX-License-Identifier: Apache-2.0

package schemaguard

import "fmt"

// A step is about 20 ns of work.
const (
	// maxSchemaBytes, maxSchemaValues and maxSchemaDepth bound the text of a schema. It comes with metadata of at most 256 KiB.
	maxSchemaBytes, maxSchemaValues, maxSchemaDepth = 256 << 10, 20_000, 64
	// maxValueBytes, maxValues and maxValueDepth bound the text of a value. A WasmPlugin has at most 3 MiB, and
	// 16 Secrets of 32 KiB come on top, of which JSON makes up to six times as much.
	maxValueBytes, maxValues, maxValueDepth = 8 << 20, 100_000, 128
	// maxCompileWork bounds what compiling costs, about in schemas: 20 µs and 20 KB each.
	maxCompileWork = 2_000
	// maxReference bounds a $ref, $id, $schema or anchor, in bytes.
	maxReference = 1 << 10
	// maxApplied bounds how many schemas apply to one value, maxChain how deep these are within one another: through
	// $ref, allOf and their like, which do not lead to another value.
	maxApplied, maxChain = 4_096, 64
	// maxPattern bounds a regular expression in bytes, maxProgram in instructions, and maxPrograms all those of a schema
	// together; a set of characters counts as an instruction for every rangesPerInstruction of its ranges.
	maxPattern, maxProgram, maxPrograms = 1 << 10, 5_000, 20_000
	rangesPerInstruction                = 16
	// maxSteps bounds an evaluation.
	maxSteps = 2_000_000
)

// LimitError is a schema, or a value together with a schema, that takes too much work.
type LimitError struct{ what string }

// Error says which limit was passed.
func (e *LimitError) Error() string { return e.what }

func limited(format string, args ...any) error {
	return &LimitError{what: fmt.Sprintf(format, args...)}
}
