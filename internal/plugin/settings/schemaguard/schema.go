// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaURL identifies the schema in the validator. It is never fetched.
const schemaURL = "k1s:///config-schema"

// Schema is a compiled schema whose evaluation is limited. It is not safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
	meter    *meter
}

// Compile compiles a schema. The error is a *LimitError if compiling it, or each evaluation, would take too much work.
func Compile(text []byte) (*Schema, error) {
	root, n, err := decode(text, maxSchemaBytes, maxSchemaValues, maxSchemaDepth)
	if err != nil {
		return nil, err
	}
	doc, err := inspect(root)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	var elsewhere noLoader
	c.UseLoader(&elsewhere)
	p := &patterns{compiled: map[string]pattern{}}
	c.UseRegexpEngine(p.compile)
	if err := c.AddResource(schemaURL, root); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(schemaURL)
	switch {
	case len(elsewhere) > 0:
		return nil, elsewhere.error()
	case p.exceeded != nil:
		return nil, p.exceeded
	case err != nil:
		return nil, err
	}
	all := reachable(compiled)
	if slices.ContainsFunc(all, func(s *jsonschema.Schema) bool { return s.DynamicRef != nil }) {
		all = reachable(append(dynamicAnchors(c, doc.anchors), compiled)...)
	}
	for _, s := range all {
		if url, _, _ := strings.Cut(s.Location, "#"); url != schemaURL { // a draft's schema in the library
			elsewhere = append(elsewhere, url)
		}
	}
	if len(elsewhere) > 0 {
		return nil, elsewhere.error()
	}
	chain, err := expand(all)
	if err != nil {
		return nil, err
	}
	return &Schema{compiled: compiled, meter: newMeter(all, chain, n)}, nil
}

// dynamicAnchors returns the schemas at places with a dynamic anchor. A $dynamicRef may be the only reference to them.
// The library has compiled those that it can reach.
func dynamicAnchors(c *jsonschema.Compiler, places []string) []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, place := range places {
		if s, err := c.Compile(schemaURL + "#" + fragment(place)); err == nil {
			out = append(out, s)
		}
	}
	return out
}

// Validate evaluates the schema on a JSON value. The error is a *LimitError if that takes more than maxSteps, a
// *ValidationError of the library if the value does not conform to the schema, and the context's error if the context
// ends. If the text of the value is invalid, the error is an *InvalidText.
func (s *Schema) Validate(ctx context.Context, text []byte) error {
	value, n, err := decode(text, maxValueBytes, maxValues, maxValueDepth)
	if err != nil {
		return &InvalidText{err}
	}
	return s.meter.run(ctx, n, value, s.compiled)
}

// InvalidText is the error of a value that is not JSON, or that exceeds the limits of a text.
type InvalidText struct{ Err error }

// Error says what is wrong with the text.
func (e *InvalidText) Error() string { return e.Err.Error() }

// noLoader collects references to other documents, which are rejected: a module must not make the operator read files
// or URLs.
type noLoader []string

// Load implements jsonschema.URLLoader.
func (l *noLoader) Load(url string) (any, error) {
	*l = append(*l, url)
	return true, nil // the schema that allows anything, so that the other references are found too
}

func (l noLoader) error() error {
	slices.Sort(l)
	return fmt.Errorf("it refers to %q: a schema may only refer to itself", []string(slices.Compact(l)))
}
