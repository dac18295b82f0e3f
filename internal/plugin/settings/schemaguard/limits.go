// SPDX-License-Identifier: Apache-2.0

package schemaguard

import "fmt"

// A step is about 20 ns of work.
const (
	// maxSchemaBytes, maxSchemaValues and maxSchemaDepth limit the text of a schema. A schema is part of the metadata,
	// which have at most 256 KiB.
	maxSchemaBytes, maxSchemaValues, maxSchemaDepth = 256 << 10, 20_000, 64
	// maxValueBytes, maxValues and maxValueDepth limit the text of a value. A WasmPlugin has at most 3 MiB. Up to 16
	// Secrets of 32 KiB are added, and encoding them as JSON makes them up to six times as large.
	maxValueBytes, maxValues, maxValueDepth = 8 << 20, 100_000, 128
	// maxCompileWork limits the cost of compiling. The unit is about one schema: 20 µs and 20 KB.
	maxCompileWork = 2_000
	// maxReference is the maximum size, in bytes, of a $ref, $id, $schema or anchor.
	maxReference = 1 << 10
	// maxApplied is the maximum number of schemas that apply to one value. maxChain is the maximum nesting depth of
	// these through $ref, allOf and similar keywords, which do not lead to another value.
	maxApplied, maxChain = 4_096, 64
	// maxPattern is the maximum size of a regular expression in bytes, maxProgram in instructions, and maxPrograms that
	// of all regular expressions of a schema together. A character class counts as one instruction for every
	// rangesPerInstruction of its ranges.
	maxPattern, maxProgram, maxPrograms = 1 << 10, 5_000, 20_000
	rangesPerInstruction                = 16
	// maxSteps is the maximum number of steps of one evaluation.
	maxSteps = 2_000_000
)

// LimitError is the error of a schema, or of a value together with a schema, that takes too much work.
type LimitError struct{ what string }

// Error names the limit that was exceeded.
func (e *LimitError) Error() string { return e.what }

func limited(format string, args ...any) error {
	return &LimitError{what: fmt.Sprintf(format, args...)}
}
