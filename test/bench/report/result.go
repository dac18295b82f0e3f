// SPDX-License-Identifier: Apache-2.0

// Package report writes the results of the benchmark: a table for the terminal, docs/benchmarks.md, and
// JSON for whoever compares runs.
package report

import (
	"math"
	"strconv"
)

// Section is a part of the table.
type Section struct {
	Title string
	// Note, if not empty, says what all of its rows are about.
	Note string
	Rows []Row
}

// Row is one line.
type Row struct {
	// Name is stable and unique; What is for people.
	Name, What string
	// Unit is that of Value and Target.
	Unit string
	// Seed is the target of the document that the project began with, in its own words.
	Seed string
	// Target is nil for a row that has none.
	Target *Target
	// Value is nil if it was not measured; then Skipped says why.
	Value   *float64
	Skipped string
	// Peers are the same of others, in this run.
	Peers string
	// Reason says why the target is missed; it is shown only then.
	Reason string
}

// Target is a bound, which belongs to what is allowed.
type Target struct {
	Bound float64
	// Least says that it is a lower bound.
	Least bool
}

// Met reports whether the row meets its target: nil if it has none or was not measured.
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

func (r Row) missed() bool {
	met := r.Met()
	return met != nil && !*met
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

func (r Row) verdict() string {
	switch met := r.Met(); {
	case r.Value == nil:
		return "skipped"
	case met == nil:
		return ""
	case *met:
		return "met"
	default:
		return "missed"
	}
}

// remark is what a row says below the table.
func (r Row) remark() string {
	switch {
	case r.Value == nil:
		return r.Skipped
	case r.missed():
		return r.Reason
	default:
		return ""
	}
}

// space puts a unit behind a number; a factor is written close to it.
func space(unit string) string {
	switch unit {
	case "", "×":
		return unit
	default:
		return " " + unit
	}
}

// Number writes a number with three digits that count, and large ones with commas.
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
