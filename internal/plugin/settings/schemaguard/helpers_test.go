// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// repeat returns a list of n copies of a text, in which %[1]d is replaced by the index.
func repeat(format string, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = strings.ReplaceAll(format, "%[1]d", fmt.Sprint(i))
	}
	return strings.Join(out, ",")
}

// nested returns a value that is nested n levels deep.
func nested(before, value, after string, n int) string {
	return strings.Repeat(before, n) + value + strings.Repeat(after, n)
}

// plain evaluates with the library without limits.
func plain(schema, value string) error {
	root, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(new(noLoader))
	if err := c.AddResource(schemaURL, root); err != nil {
		return err
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	if err != nil {
		return err
	}
	return compiled.Validate(v)
}

// guarded evaluates with the library and the limits, and returns the number of steps.
func guarded(tb testing.TB, schema, value string) (int, error) {
	tb.Helper()
	s, err := Compile([]byte(schema))
	if err != nil {
		return 0, err
	}
	err = s.Validate(tb.Context(), []byte(value))
	return s.meter.steps, err
}

func isLimit(err error) bool {
	var limit *LimitError
	return errors.As(err, &limit)
}
