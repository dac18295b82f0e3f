// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaURL names the schema inside the validator; it is never fetched.
const schemaURL = "k1s:///config-schema"

// Schema is a compiled schema whose evaluation is limited. It must not be used by two goroutines at once.
type Schema struct {
	compiled *jsonschema.Schema
	meter    *meter
}

// Compile compiles a schema. The error is a *LimitError where that, or each evaluation, would take too much work.
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
		if url, _, _ := strings.Cut(s.Location, "#"); url != schemaURL { // of a draft, which the library has
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

// dynamicAnchors returns the schemas at places that have a dynamic anchor: a $dynamicRef may lead to them without anything
// else that does. The library has compiled those that it can lead to.
func dynamicAnchors(c *jsonschema.Compiler, places []string) []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, place := range places {
		if s, err := c.Compile(schemaURL + "#" + fragment(place)); err == nil {
			out = append(out, s)
		}
	}
	return out
}

// Validate evaluates a schema on a JSON value. The error is a *LimitError where that takes more than maxSteps, a
// *ValidationError of the library where the value does not meet the schema, and the context's where that ends; others are about
// the value's text, which InvalidText reports.
func (s *Schema) Validate(ctx context.Context, text []byte) error {
	value, n, err := decode(text, maxValueBytes, maxValues, maxValueDepth)
	if err != nil {
		return &InvalidText{err}
	}
	return s.meter.run(ctx, n, value, s.compiled)
}

// InvalidText is a value that is no JSON, or too large to be looked at.
type InvalidText struct{ Err error }

// Error says what is wrong with the text.
func (e *InvalidText) Error() string { return e.Err.Error() }

// noLoader gathers references to other documents, which are refused: a module must not make the
// operator read files or URLs.
type noLoader []string

// Load implements jsonschema.URLLoader.
func (l *noLoader) Load(url string) (any, error) {
	*l = append(*l, url)
	return true, nil // the schema that allows anything, so that the other references come to light too
}

func (l noLoader) error() error {
	slices.Sort(l)
	return fmt.Errorf("it refers to %q: a schema may only refer to itself", []string(slices.Compact(l)))
}
