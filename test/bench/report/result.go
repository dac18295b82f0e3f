// SPDX-License-Identifier: Apache-2.0

// Package report writes the results of the benchmark: a table for the terminal, docs/benchmarks.md, and JSON for tools
// that compare runs.
package report

import (
	"math"
	"strconv"
)

// Section is a part of the table.
type Section struct {
	Title string
	// Note, if not empty, describes what all of its rows measure.
	Note string
	Rows []Row
}

// Row is one line of the table.
type Row struct {
	// Name is stable and unique. What is the description for readers.
	Name, What string
	// Unit is the unit of Value and Target.
	Unit string
	// Seed is the target in the document that the project started from, verbatim.
	Seed string
	// Target is nil for a row without a target.
	Target *Target
	// Value is nil if the row was not measured. Skipped then says why.
	Value   *float64
	Skipped string
	// Peers is the values of others for the same work, measured in the same run.
	Peers string
	// Reason says why the target is missed. It is shown only if it is.
	Reason string
}

// Target is an inclusive bound.
type Target struct {
	Bound float64
	// Least is true for a lower bound.
	Least bool
}

// Met reports whether the row meets its target. It is nil if the row has no target or was not measured.
func (r Row) Met() *bool {
	if r.Target == nil || r.Value == nil {
		return nil
	}
	met := *r.Value <= r.Target.Bound
	if r.Target.Least {
		met = *r.Value >= r.Target.Bound
	}
	return &met
}

func (r Row) target() string {
	if r.Target == nil {
		return ""
	}
	sign := "≤ "
	if r.Target.Least {
		sign = "≥ "
	}
	return sign + Number(r.Target.Bound) + space(r.Unit)
}

func (r Row) value() string {
	if r.Value == nil {
		return "–"
	}
	return Number(*r.Value) + space(r.Unit)
}

// The verdicts on rows. A row without a target that was measured has none.
const (
	met     = "met"
	missed  = "missed"
	skipped = "skipped"
)

func (r Row) verdict() string {
	switch ok := r.Met(); {
	case r.Value == nil:
		return skipped
	case ok == nil:
		return ""
	case *ok:
		return met
	default:
		return missed
	}
}

// remark returns the text about the row below the table.
func (r Row) remark() string {
	switch r.verdict() {
	case skipped:
		return r.Skipped
	case missed:
		return r.Reason
	default:
		return ""
	}
}

// space returns the unit with the space that separates it from a number. A factor has no space.
func space(unit string) string {
	if unit == "" || unit == "×" {
		return unit
	}
	return " " + unit
}

// Number formats a number with at most three significant digits, and a number of 1,000 or more as an integer with
// commas.
func Number(n float64) string {
	size := math.Abs(n)
	switch {
	case size >= 1000:
		return commas(strconv.FormatFloat(n, 'f', 0, 64))
	case size >= 100 || n == math.Trunc(n):
		return strconv.FormatFloat(n, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(n, 'f', 1, 64)
	case size >= 0.1:
		return strconv.FormatFloat(n, 'f', 2, 64)
	default:
		return strconv.FormatFloat(n, 'g', 2, 64)
	}
}

func commas(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
