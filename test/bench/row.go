// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
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

	// subjects are measured in rounds, together with the subjects of all other rows, before measure is called.
	subjects []string
	measure  func(ctx context.Context, s *session) (float64, error)
	// peers are shown next to the value, without those that were not measured.
	peers []other
	// note, if set, returns a text that is shown there, too. It is called after measure.
	note func(s *session) string
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

func micro(q measure.Quantile) measure.Quantile {
	return func(r measure.Round) float64 { return q(r) * micros }
}

var (
	microP50 = micro(measure.P50)
	microP99 = micro(measure.P99)
)

// figureOf returns a measure function for one number of one subject.
func figureOf(subject string, q measure.Quantile) func(context.Context, *session) (float64, error) {
	return func(_ context.Context, s *session) (float64, error) {
		series, err := s.of(subject)
		return series.Median(q), err
	}
}

// ratioOf returns a measure function for the ratio of one number of two subjects, computed round by round.
func ratioOf(a, b string, q measure.Quantile) func(context.Context, *session) (float64, error) {
	return func(_ context.Context, s *session) (float64, error) {
		x, err := s.of(a)
		if err != nil {
			return 0, err
		}
		y, err := s.of(b)
		if err != nil {
			return 0, err
		}
		return measure.Ratio(x, y, q), nil
	}
}

// wanted returns the names of all subjects of a row, including its peers.
func (r row) wanted() []string {
	all := append([]string(nil), r.subjects...)
	for _, p := range r.peers {
		all = append(all, p.subject)
	}
	return all
}

// beside returns the values of the peers and the note as text.
func (r row) beside(s *session) string {
	var parts []string
	for _, p := range r.peers {
		if series, err := s.of(p.subject); err == nil {
			parts = append(parts, fmt.Sprintf("%s %s %s", p.label, report.Number(series.Median(p.figure)), cmp.Or(p.unit, r.unit)))
		}
	}
	if r.note != nil {
		if note := r.note(s); note != "" {
			parts = append(parts, note)
		}
	}
	return strings.Join(parts, " · ")
}

// run measures the row.
func (r row) run(ctx context.Context, s *session) report.Row {
	out := report.Row{Name: r.name, What: r.what, Unit: r.unit, Seed: r.seed, Target: r.target, Reason: reasons[r.name]}
	value, err := r.measure(ctx, s)
	if err != nil {
		out.Skipped = err.Error()
		return out
	}
	out.Value = &value
	out.Peers = r.beside(s)
	return out
}
