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
	// perEvaluation is what the library takes for an evaluation and its error, in steps. perLevel is added for each
	// level of nesting, because each error contains a copy of the path to its value.
	perEvaluation, perLevel = 32, 2
	// perMember is what it takes to walk a member of an object, and to name it in an error.
	perMember = 3
	// perNumber is what exact arithmetic on a number takes, perWideNumber on a number with many digits or an exponent.
	perNumber, perWideNumber = 60, 500
	// stepsPerCheck is the number of steps between two checks of the deadline.
	stepsPerCheck = 50_000
)

// meter counts the steps of an evaluation. It hooks into the one function that the library calls for each evaluation,
// the format, so every schema gets a format. At that point the meter charges for the following evaluations before they
// start: those of the subschemas on the same value and on the values in it. An evaluation that exceeds the budget is
// aborted.
type meter struct {
	// wide means that the schema has numbers that need big-number arithmetic, unevaluated that it has the keywords
	// unevaluatedItems or unevaluatedProperties.
	wide, unevaluated bool
	chain             int

	ctx                context.Context //nolint:containedctx // that of one evaluation, which goes through the library
	steps, checked     int
	evaluation, number int
	depth              int
}

// givenUp is the value with which an evaluation panics, because the library offers no other way to abort it.
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

// watch adds the meter to the evaluations of a schema.
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

// isPattern implements the format "regex".
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

// take counts steps. It aborts the evaluation if the steps exceed maxSteps or if the context has ended.
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

// price returns the cost of evaluations, with extra added for each.
func (m *meter) price(l load, extra int) int {
	return l.evaluations*(m.evaluation+extra) + l.plain + l.numbers*m.number
}

// pay charges for the evaluation of a schema on a value, and for the evaluations of its subschemas.
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
