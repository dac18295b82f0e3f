// SPDX-License-Identifier: Apache-2.0

package object

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Libraries that compare JSON decode numbers to float64, which changes large integers. That is why the comparison is
// implemented here.

// operation is an operation of RFC 6902: add, replace or remove. Its path has the parts of the JSON pointer.
type operation struct {
	op    string
	path  []string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o operation) MarshalJSON() ([]byte, error) {
	if o.op == "remove" {
		return json.Marshal(struct {
			Op   string `json:"op"`
			Path string `json:"path"`
		}{o.op, o.pointer()})
	}
	return json.Marshal(struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}{o.op, o.pointer(), o.value})
}

// pointer returns the path as a JSON pointer (RFC 6901).
func (o operation) pointer() string {
	var b strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, part := range o.path {
		b.WriteByte('/')
		b.WriteString(escape.Replace(part))
	}
	return b.String()
}

// errNoName is for members whose name is "": not every implementation supports JSON pointers to them.
var errNoName = errors.New(`it changes a member whose name is ""`)

var errManyChanges = errors.New("it changes too much: the patch would have more than " + strconv.Itoa(maxOperations) + " operations, or very long paths")

// diff returns the patch from one object to another. Arrays of the same length are compared element by element. If
// elements were appended to an array, they are added. Other arrays are replaced.
func diff(was, is map[string]any) ([]operation, error) {
	var d differ
	d.objects(nil, was, is)
	if len(d.patch) > maxOperations || d.parts > maxParts {
		return nil, errManyChanges
	}
	for _, o := range d.patch {
		if slices.Contains(o.path, "") {
			return nil, errNoName
		}
	}
	return d.patch, nil
}

type differ struct {
	patch []operation
	// parts is the number of parts of all paths.
	parts int
}

func (d *differ) add(op string, path []string, value any) {
	if len(d.patch) <= maxOperations && d.parts <= maxParts { // one above the limit shows that there are too many
		d.parts += len(path)
		d.patch = append(d.patch, operation{op, slices.Clone(path), value})
	}
}

func (d *differ) objects(path []string, was, is map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if after, ok := is[name]; ok {
			d.values(append(path, name), was[name], after)
		} else {
			d.add("remove", append(path, name), nil)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if _, ok := was[name]; !ok {
			d.add("add", append(path, name), is[name])
		}
	}
}

func (d *differ) values(path []string, was, is any) {
	switch before := was.(type) {
	case map[string]any:
		if after, ok := is.(map[string]any); ok {
			d.objects(path, before, after)
			return
		}
	case []any:
		if after, ok := is.([]any); ok && d.arrays(path, before, after) {
			return
		}
	}
	if !equal(was, is) {
		d.add("replace", path, is)
	}
}

// arrays compares two arrays, and reports whether it could.
func (d *differ) arrays(path []string, was, is []any) bool {
	if len(is) < len(was) || len(is) > len(was) && !equal(was, is[:len(was)]) {
		return false
	}
	if len(is) == len(was) {
		for i := range was {
			d.values(append(path, strconv.Itoa(i)), was[i], is[i])
		}
	}
	for _, added := range is[len(was):] {
		d.add("add", append(path, "-"), added)
	}
	return true
}

// equal reports whether two JSON values are equal. Numbers are equal if they have the same value, such as 1 and 1.0.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, equal)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(string(a), string(b))
	default: // string, bool, nil
		return a == b
	}
}

func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(a+b, ".eE") {
		return false // equal integers have only one spelling
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}
