// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"net/url"
	"strconv"
	"strings"
)

// shape describes how the value of a keyword contains schemas.
type shape int

const (
	one   shape = 1 << iota // the keyword's value is a schema
	list                    // the items of the keyword's value are schemas
	named                   // the members of the keyword's value are schemas
)

// keyword is a keyword that contains schemas. The library recognizes it from the given draft on.
type keyword struct {
	shape shape
	draft int
}

var keywords = map[string]keyword{
	"definitions": {named, 4}, "properties": {named, 4}, "patternProperties": {named, 4}, "dependencies": {named, 4},
	"allOf": {list, 4}, "anyOf": {list, 4}, "oneOf": {list, 4},
	"not": {one, 4}, "additionalProperties": {one, 4}, "additionalItems": {one, 4}, "items": {one | list, 4},
	"propertyNames": {one, 6}, "contains": {one, 6},
	"if": {one, 7}, "then": {one, 7}, "else": {one, 7},
	"$defs": {named, 2019}, "dependentSchemas": {named, 2019},
	"unevaluatedProperties": {one, 2019}, "unevaluatedItems": {one, 2019}, "contentSchema": {one, 2019},
	"prefixItems": {list, 2020},
}

// document limits the cost of compiling a schema. The library compiles each schema of a document once, but searches all
// others for it by names that contain the whole path. If a $ref leads to a place that is not a place for schemas, the
// library adds the schema there to a copy of all schemas that it knows.
type document struct {
	root any
	work int
	// draft is the oldest draft that the document names. Keywords that contain schemas in it do so in all later drafts.
	draft int
	// references are the values of $ref and similar keywords, without duplicates. anchors are the places of dynamic
	// anchors.
	references map[string]struct{}
	anchors    []string
	// places are the places for schemas, resources the places of schemas with an identifier. Both are JSON pointers.
	places    map[string]struct{}
	resources []string
	// path is the current place of the walk, as the parts of a JSON pointer of length bytes.
	path   []string
	length int
}

// inspect checks a schema before it is compiled.
func inspect(root any) (*document, error) {
	d := &document{
		root: root, draft: 2020, references: map[string]struct{}{}, places: map[string]struct{}{}, resources: []string{""},
	}
	if err := d.gather(root); err != nil {
		return nil, err
	}
	if err := d.schema(root, true, 0); err != nil {
		return nil, err
	}
	for reference := range d.references {
		if err := d.follow(reference); err != nil {
			return nil, err
		}
	}
	for _, anchor := range d.anchors {
		if err := d.place(anchor); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// pay adds to the work. It returns an error if the work exceeds maxCompileWork.
func (d *document) pay(work int) error {
	if d.work += work; d.work > maxCompileWork {
		return limited("compiling it takes more work than %d small schemas do", maxCompileWork)
	}
	return nil
}

// at runs walk at a place below the current one.
func (d *document) at(walk func() error, parts ...string) error {
	path, length := d.path, d.length
	for _, part := range parts {
		d.path = append(d.path, part)
		d.length += 1 + len(part)
	}
	err := walk()
	d.path, d.length = path, length
	return err
}

// pointer returns the current place as a JSON pointer, in the library's notation.
func (d *document) pointer() string {
	var out strings.Builder
	for _, part := range d.path {
		out.WriteByte('/')
		out.WriteString(escape.Replace(part))
	}
	return out.String()
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// gather collects the identifiers, references and anchors everywhere in the document, because a $ref can lead anywhere.
func (d *document) gather(v any) error {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if err := d.at(func() error { return d.gather(item) }, strconv.Itoa(i)); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, member := range v {
			if err := d.member(name, member); err != nil {
				return err
			}
			if err := d.at(func() error { return d.gather(member) }, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *document) member(name string, member any) error {
	text, ok := member.(string)
	switch {
	case name == "$recursiveAnchor" && member == true && len(d.path) > 0:
		return limited(`"$recursiveAnchor" within a schema is not supported: use "$dynamicAnchor" of draft 2020-12`)
	case !ok:
		return nil
	}
	switch name {
	case "$ref", "$dynamicRef", "$recursiveRef":
		d.references[text] = struct{}{}
	case "$schema":
		d.draft = min(d.draft, draftOf(text))
	case "$dynamicAnchor":
		if err := d.pay(1 + d.length/maxReference); err != nil {
			return err
		}
		d.anchors = append(d.anchors, d.pointer())
	case "$id", "id", "$anchor":
	default:
		return nil
	}
	if len(text) > maxReference {
		return limited("its %q has %d bytes, more than the %d allowed", name, len(text), maxReference)
	}
	return nil
}

// draftOf returns the draft that $schema names, or the oldest one if it names none.
func draftOf(text string) int {
	for name, draft := range map[string]int{
		"json-schema.org/schema": 2020, "/2020-12/": 2020, "/2019-09/": 2019, "/draft-07/": 7, "/draft-06/": 6,
	} {
		if strings.Contains(text, name) {
			return draft
		}
	}
	return 4
}

// schema walks the places for schemas. The argument known means that the library recognizes a schema here in every
// draft. The argument base is the maximum length of the URL that references are relative to.
func (d *document) schema(v any, known bool, base int) error {
	// The library walks the path and builds it part by part.
	if err := d.pay(1 + len(d.path)*d.length/4096 + d.length/512); err != nil {
		return err
	}
	pointer := d.pointer()
	if known {
		d.places[pointer] = struct{}{}
	}
	members, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	for _, name := range []string{"$id", "id"} {
		if id, ok := members[name].(string); ok {
			base += len(id)
			d.resources = append(d.resources, pointer)
			if err := d.pay(8 + base/128); err != nil { // each schema searches all resources
				return err
			}
		}
	}
	for _, name := range []string{"$ref", "$dynamicRef", "$recursiveRef"} {
		if ref, ok := members[name].(string); ok {
			if err := d.pay((base + len(ref)) / 128); err != nil {
				return err
			}
		}
	}
	for name, member := range members {
		k, ok := keywords[name]
		if !ok {
			continue
		}
		if err := d.below(name, member, k.shape, known && k.draft <= d.draft, base); err != nil {
			return err
		}
	}
	return nil
}

// below walks the schemas of a keyword.
func (d *document) below(name string, v any, s shape, known bool, base int) error {
	items, isList := v.([]any)
	members, isObject := v.(map[string]any)
	if s&one != 0 {
		if err := d.at(func() error { return d.schema(v, known, base) }, name); err != nil {
			return err
		}
	}
	if s&list != 0 && isList {
		for i, item := range items {
			if err := d.at(func() error { return d.schema(item, known, base) }, name, strconv.Itoa(i)); err != nil {
				return err
			}
		}
	}
	if s&named != 0 && isObject {
		for member, v := range members {
			if err := d.at(func() error { return d.schema(v, known, base) }, name, member); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow charges for the schemas that a reference can lead to, relative to every resource.
func (d *document) follow(reference string) error {
	_, fragment, _ := strings.Cut(reference, "#")
	pointer, err := url.PathUnescape(fragment)
	if err != nil || !strings.HasPrefix(pointer, "/") {
		return nil //nolint:nilerr // the library rejects it, or it names a place for a schema
	}
	if err := d.pay(len(d.resources) / 16); err != nil {
		return err
	}
	for _, resource := range d.resources {
		if err := d.place(resource + pointer); err != nil {
			return err
		}
	}
	return nil
}

// place charges for compiling the value at a pointer, unless that is a place for schemas.
func (d *document) place(pointer string) error {
	if _, ok := d.places[pointer]; ok {
		return nil
	}
	v := d.root
	for _, part := range strings.Split(pointer, "/")[1:] {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		switch parent := v.(type) {
		case map[string]any:
			member, ok := parent[part]
			if !ok {
				return nil
			}
			v = member
		case []any:
			i, err := strconv.Atoi(part) // like the library, which accepts +0 and 00 for 0
			if err != nil || i < 0 || i >= len(parent) {
				return nil //nolint:nilerr // it names no value
			}
			v = parent[i]
		default:
			return nil
		}
	}
	return d.pay(countValues(v, maxCompileWork) + 1 + len(d.places)/64 + len(pointer)/512)
}

// countValues counts the values in v, including v itself, up to a limit.
func countValues(v any, limit int) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if n += countValues(item, limit-n); n > limit {
				break
			}
		}
	case map[string]any:
		for _, member := range v {
			if n += countValues(member, limit-n); n > limit {
				break
			}
		}
	}
	return n
}
