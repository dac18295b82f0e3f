// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	// perEvaluation is what the library takes for an evaluation and its error, in steps; more where values lie deep, as each
	// error has a copy of the way to its value.
	perEvaluation, perLevel = 32, 2
	// perMember is what it takes to walk a member of an object, and to name it in an error.
	perMember = 3
	// perNumber is what it takes for exact arithmetic on a number, perWideNumber on one with many digits or an exponent.
	perNumber, perWideNumber = 60, 500
	// stepsPerCheck is how many steps are taken between two looks at the deadline.
	stepsPerCheck = 50_000
)

// meter counts the steps of an evaluation, through the one place that the library calls for each: the format. Every schema
// gets one. There the evaluations that come next are paid for, before they begin: those of the schemas within, on the same value and
// on what is in it. An evaluation that cannot pay is given up.
type meter struct {
	// wide reports whether the schema has numbers that take long; unevaluated, whether it asks what was evaluated.
	wide, unevaluated bool
	chain             int

	ctx                context.Context //nolint:containedctx // that of one evaluation, which goes through the library
	steps, checked     int
	evaluation, number int
	depth              int
}

// givenUp is what an evaluation panics with: the library has no other way out.
type givenUp struct{ err error }

func newMeter(all []*jsonschema.Schema, chain int, n size) *meter {
	m := &meter{wide: n.wide, chain: chain}
	for _, s := range all {
		m.unevaluated = m.unevaluated || s.UnevaluatedItems != nil || s.UnevaluatedProperties != nil
		if s.Bool == nil {
			m.watch(s)
		}
	}
	return m
}

// watch has the meter called for each evaluation of a schema.
func (m *meter) watch(s *jsonschema.Schema) {
	c := costOf(s)
	format := s.Format
	if format == nil {
		s.Format = &jsonschema.Format{Validate: func(v any) error {
			m.pay(c, v)
			return nil
		}}
		return
	}
	check, perByte := format.Validate, 4
	if format.Name == "regex" {
		check, perByte = isPattern, 512
	}
	s.Format = &jsonschema.Format{Name: format.Name, Validate: func(v any) error {
		m.pay(c, v)
		if text, ok := v.(string); ok {
			m.take(1 + perByte*len(text))
		}
		return check(v)
	}}
}

// isPattern is the format "regex".
func isPattern(v any) error {
	if text, ok := v.(string); ok {
		_, err := program(text)
		return err
	}
	return nil
}

// run evaluates a schema on a value.
func (m *meter) run(ctx context.Context, n size, value any, s *jsonschema.Schema) (err error) {
	m.ctx, m.steps, m.checked, m.depth = ctx, 0, 0, n.depth
	m.evaluation = perEvaluation + perLevel*n.depth
	m.number = perNumber
	if m.wide || n.wide {
		m.number = perWideNumber
	}
	defer func() {
		switch fault := recover().(type) {
		case nil:
		case givenUp:
			err = fault.err
		default:
			panic(fault)
		}
	}()
	m.take(m.price(loadOf([]*jsonschema.Schema{s}), 0))
	return s.Validate(value)
}

// take counts steps.
func (m *meter) take(steps int) {
	m.steps += steps
	if m.steps > maxSteps {
		panic(givenUp{limited("evaluating it takes more than %d steps", maxSteps)})
	}
	if m.steps-m.checked >= stepsPerCheck {
		m.checked = m.steps
		if deadline, ok := m.ctx.Deadline(); m.ctx.Err() != nil || ok && !time.Now().Before(deadline) {
			panic(givenUp{cmp.Or(context.Cause(m.ctx), context.DeadlineExceeded)})
		}
	}
}

// price returns what evaluations take, with extra for each.
func (m *meter) price(l load, extra int) int {
	return l.evaluations*(m.evaluation+extra) + l.plain + l.numbers*m.number
}

// pay takes the steps of what a schema does with a value, and of the evaluations that it leads to.
func (m *meter) pay(c *cost, v any) {
	steps, extra := c.once, 0
	if c.chain {
		steps += m.chain * m.depth
	}
	switch v := v.(type) {
	case map[string]any:
		extra = perMember * len(v) // each schema walks all members
		one := c.one
		one.evaluations = min(one.evaluations, len(v))
		steps += len(v)*(perMember+m.price(c.members, 0)) + m.price(one, 0)
		if c.namePrograms > 0 {
			for name := range v {
				steps += c.namePrograms * (1 + len(name)) / 2
			}
		}
	case []any:
		one := c.one
		one.evaluations = min(one.evaluations, len(v))
		steps += len(v)*(1+m.price(c.items, 0)) + m.price(one, 0)
		if c.unique {
			m.comparisons(v)
		}
	case string:
		steps += len(v)/16 + c.program*(1+len(v))/2
		if c.lengths {
			steps += len(v) / 16
		}
	case json.Number:
		steps += c.numeric * m.number
	}
	if m.unevaluated {
		extra *= 2
		if v, ok := v.([]any); ok {
			extra = 4 * len(v)
		}
	}
	m.take(steps + m.price(c.inPlace, extra))
}
