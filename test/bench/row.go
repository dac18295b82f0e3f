// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/k1s-io/k1s/test/bench/measure"
	"github.com/k1s-io/k1s/test/bench/report"
)

// section is a part of the table. A new row is a new entry in one of the sections.
type section struct {
	title, note string
	rows        []row
}

// row is one line of the table.
type row struct {
	// name is stable and unique. ROWS selects rows by it, and bin/bench.json contains it.
	name string
	what string
	unit string
	// seed is the target in the document that the project started from, verbatim.
	seed   string
	target *report.Target

	value
	// peers are shown next to the value, without those that were not measured.
	peers []other
	// note, if set, returns a text that is shown there, too. It is called after measure.
	note func(s *session) string
}

// value is how the value of a row is measured.
type value struct {
	// subjects are measured in rounds, together with the subjects of all other rows, before measure is called.
	subjects []string
	measure  func(s *session) float64
}

// other is the value of another subject, for comparison.
type other struct {
	label, subject string
	figure         measure.Quantile
	// unit is empty if it is the unit of the row.
	unit string
}

func atMost(bound float64) *report.Target  { return &report.Target{Bound: bound} }
func atLeast(bound float64) *report.Target { return &report.Target{Bound: bound, Least: true} }

// Factors from seconds to the units of values.
const (
	micros = 1e6
	millis = 1e3
)

func microP50(r measure.Round) float64 { return measure.P50(r) * micros }
func microP99(r measure.Round) float64 { return measure.P99(r) * micros }

// figureOf returns one number of one subject.
func figureOf(subject string, q measure.Quantile) value {
	return value{[]string{subject}, func(s *session) float64 { return s.of(subject).Median(q) }}
}

// ratioOf returns the ratio of one number of two subjects, computed round by round.
func ratioOf(a, b string, q measure.Quantile) value {
	return value{[]string{a, b}, func(s *session) float64 { return measure.Ratio(s.of(a), s.of(b), q) }}
}

// resultOf returns a number that is not measured in rounds.
func resultOf(measure func(*session) float64) value { return value{nil, measure} }

// wanted returns the names of all subjects of a row, including its peers.
func (r row) wanted() []string {
	all := slices.Clone(r.subjects)
	for _, p := range r.peers {
		all = append(all, p.subject)
	}
	return all
}

// run measures the row.
func (r row) run(s *session) report.Row {
	out := report.Row{Name: r.name, What: r.what, Unit: r.unit, Seed: r.seed, Target: r.target, Reason: reasons[r.name]}
	err := try(func() {
		measured := r.measure(s)
		var beside []string
		for _, p := range r.peers {
			if series, ok := s.series[p.subject]; ok {
				beside = append(beside, fmt.Sprintf("%s %s %s", p.label, report.Number(series.Median(p.figure)), cmp.Or(p.unit, r.unit)))
			}
		}
		if r.note != nil {
			beside = append(beside, r.note(s))
		}
		out.Value, out.Peers = &measured, strings.Join(beside, " · ")
	})
	if err != nil {
		out.Skipped = err.Error()
	}
	return out
}
