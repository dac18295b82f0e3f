// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/k1s-io/k1s/test/bench/measure"
	"github.com/k1s-io/k1s/test/bench/report"
)

// rounds is how many turns each subject has.
const rounds = 10

// sections returns all sections of the table in order.
func sections() []section {
	return []section{
		callRows(),
		peerRows(),
		meteringRows(),
		throughputRows(),
		instanceRows(),
		swapRows(),
		pathRows(),
		admissionRows(),
		embeddedRows(),
		memoryRows(),
		crowdRows(),
		neighborRows(),
	}
}

// pick returns the sections with only the rows whose names match.
func pick(all []section, names *regexp.Regexp) []section {
	var picked []section
	for _, s := range all {
		s.rows = slices.DeleteFunc(slices.Clone(s.rows), func(r row) bool { return !names.MatchString(r.name) })
		if len(s.rows) > 0 {
			picked = append(picked, s)
		}
	}
	return picked
}

// run measures the sections.
func run(s *session, all []section) ([]report.Section, error) {
	var subjects []measure.Subject
	wanted := map[string]bool{}
	for _, sec := range all {
		for _, r := range sec.rows {
			for _, name := range r.wanted() {
				if wanted[name] {
					continue
				}
				wanted[name] = true
				subject, err := s.subject(name)
				if err != nil {
					return nil, err
				}
				subjects = append(subjects, subject)
			}
		}
	}
	if err := s.measure(subjects); err != nil {
		return nil, fmt.Errorf("measure in rounds: %w", err)
	}
	var out []report.Section
	for _, sec := range all {
		done := report.Section{Title: sec.title, Note: sec.note}
		for _, r := range sec.rows {
			done.Rows = append(done.Rows, r.run(s))
			if err := s.ctx.Err(); err != nil {
				return nil, err
			}
		}
		out = append(out, done)
	}
	return out, nil
}
