// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"errors"
	"regexp"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// patterns compiles regular expressions within limits. They are Go's, so matching takes time that is linear in the
// text, and only their size needs a limit.
type patterns struct {
	compiled map[string]pattern
	// programs counts the instructions of all regular expressions.
	programs int
	// exceeded is the error of the first limit that was exceeded.
	exceeded error
}

// pattern is a regular expression with its number of instructions.
type pattern struct {
	*regexp.Regexp

	program int
}

// compile implements jsonschema.RegexpEngine.
func (p *patterns) compile(text string) (jsonschema.Regexp, error) {
	if known, ok := p.compiled[text]; ok { // the library checks a schema before it compiles it
		return known, nil
	}
	n, err := program(text)
	if p.programs += n; err == nil && p.programs > maxPrograms {
		err = limited("its regular expressions take more than %d instructions together", maxPrograms)
	}
	if err != nil {
		var limit *LimitError
		if errors.As(err, &limit) && p.exceeded == nil {
			p.exceeded = err
		}
		return nil, err
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	p.compiled[text] = pattern{compiled, n}
	return p.compiled[text], nil
}

// program returns the number of instructions of a regular expression. It returns an error if the expression is invalid
// or exceeds a limit.
func program(text string) (int, error) {
	if len(text) > maxPattern {
		return 0, limited("a regular expression has %d bytes, more than the %d allowed", len(text), maxPattern)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, err
	}
	n := instructions(parsed)
	if n > maxProgram {
		return n, limited("a regular expression takes more than %d instructions: have it repeat less", maxProgram)
	}
	return n, nil
}

// instructions returns an upper bound for the number of instructions of a regular expression whose repetitions are
// expanded. It stops counting soon after maxProgram.
func instructions(re *syntax.Regexp) int {
	n := 1
	switch re.Op { // the others have no more than their parts
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass:
		n += len(re.Rune) / 2 / rangesPerInstruction
	}
	for _, sub := range re.Sub {
		if n += instructions(sub); n > maxProgram {
			return n
		}
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max) + 1
	}
	return n
}
