// SPDX-License-Identifier: Apache-2.0

package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/k1s-io/k1s/internal/abi"
)

const (
	// maxDefaulted bounds set_defaults' reply, and the object with its changes, in bytes: the API server takes no larger ones.
	maxDefaulted = 3 << 20
	// maxValues is how many JSON values a reply may have: each takes up to a hundred bytes, however short its text is.
	maxValues = 250_000
	// maxOperations bounds the patch of a guest's and the one that the API server gets.
	maxOperations = 1000
	// maxWork bounds a guest's patch by its operations times the bytes that each may go through, those of the object and
	// of the patch: it is applied without fuel, and one that inserts into a long array moves all of it each time.
	maxWork = 64 << 20
	// maxParts bounds the parts of all paths of the patch that the API server gets.
	maxParts = 100 * maxOperations
)

// Defaults are what a guest has set.
type Defaults struct {
	// Patch leads from the object to the one with defaults: a JSON patch, empty if nothing is to be changed.
	Patch []byte
	// Object is the object with defaults.
	Object map[string]any

	operations []operation
}

// ReadDefaults reads set_defaults' reply, a whole object or a JSON patch, against the object that the guest was
// given. Its errors say what the guest did wrong.
func ReadDefaults(object, reply []byte) (*Defaults, error) {
	if len(reply) > maxDefaulted {
		return nil, fmt.Errorf("it has %d bytes, more than the %d allowed", len(reply), maxDefaulted)
	}
	if err := abi.CheckValues(reply, maxValues); err != nil {
		return nil, err
	}
	after := reply
	if bytes.HasPrefix(bytes.TrimLeft(reply, " \t\r\n"), []byte("[")) {
		var err error
		if after, err = apply(object, reply); err != nil {
			return nil, err
		}
	}
	was, err := decodeObject(object)
	if err != nil {
		return nil, fmt.Errorf("the object itself: %w", err) // which the API server does not send
	}
	is, err := decodeObject(after)
	if err != nil {
		return nil, err
	}
	if err := guard(was, is); err != nil {
		return nil, err
	}
	d := &Defaults{Object: is}
	if d.operations, err = diff(was, is); err != nil {
		return nil, err
	}
	if len(d.operations) == 0 {
		return d, nil
	}
	d.Patch, err = json.Marshal(d.operations)
	return d, err
}

func decodeObject(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // a float64 has not room for every int64
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, fmt.Errorf("it is no object: %.200q", err.Error())
	}
	if object == nil {
		return nil, errors.New("it is no object: it is null")
	}
	return object, nil
}

// apply applies a guest's patch. The library that does it panics on some patches that make no sense.
func apply(object, patch []byte) (after []byte, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			after, err = nil, errors.New("the patch does not apply: one of its operations makes no sense")
		}
	}()
	operations, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		return nil, fmt.Errorf("it is no JSON patch: %.200q", err.Error())
	}
	if len(operations) > maxOperations {
		return nil, fmt.Errorf("the patch has %d operations, more than the %d allowed", len(operations), maxOperations)
	}
	if len(operations)*(len(object)+len(patch)) > maxWork {
		return nil, fmt.Errorf("a patch with %d operations is too much for an object and a patch of %d bytes: reply with the whole object",
			len(operations), len(object)+len(patch))
	}
	options := jsonpatch.NewApplyOptions()
	options.AccumulatedCopySizeLimit = maxDefaulted // few operations could otherwise double an object many times
	options.SupportNegativeIndices = false          // RFC 6902 has none
	after, err = operations.ApplyWithOptions(object, options)
	if err != nil {
		return nil, fmt.Errorf("the patch does not apply: %.200q", err.Error())
	}
	if len(after) > maxDefaulted {
		return nil, fmt.Errorf("the object has %d bytes with the patch, more than the %d allowed", len(after), maxDefaulted)
	}
	return after, nil
}

// guard refuses changes of what defaulting has no business with: what the object is, and what of it the API server or
// controllers keep. Of metadata that leaves labels and annotations. A member without a value is as good as none.
func guard(was, is map[string]any) error {
	if err := guardMembers("", was, is, func(name string) bool {
		return name != "apiVersion" && name != "kind" && name != "status" && name != "metadata"
	}); err != nil {
		return err
	}
	before, _ := was["metadata"].(map[string]any)
	after, ok := is["metadata"].(map[string]any)
	if !ok {
		return errors.New("it changes metadata, of which only labels and annotations may be changed")
	}
	return guardMembers("metadata.", before, after, func(name string) bool { return name == "labels" || name == "annotations" })
}

// guardMembers refuses changes of members that may not be changed, and puts differences right that mean nothing.
// Metadata is left out, as its members are looked at one by one.
func guardMembers(prefix string, was, is map[string]any, free func(name string) bool) error {
	names := make([]string, 0, len(was)+len(is))
	for name := range was {
		names = append(names, name)
	}
	for name := range is {
		names = append(names, name)
	}
	slices.Sort(names) // the same complaint each time
	for _, name := range slices.Compact(names) {
		before, had := was[name]
		after, has := is[name]
		switch {
		case free(name), prefix == "" && name == "metadata" && has:
		case empty(before) && empty(after):
			if delete(is, name); had {
				is[name] = before
			}
		case had != has, !equal(before, after):
			return fmt.Errorf("it changes %.200q, which set_defaults may not", prefix+name)
		}
	}
	return nil
}

// empty reports whether a value says nothing: guests in typed languages write such members where there were none.
func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case string:
		return v == ""
	default:
		return false
	}
}

// maxField bounds the name of a field, in bytes: a label's name is part of it.
const maxField = 128

// Fields are those that the patch touches, each once, such as "spec.category"; an array is one field with all it
// holds. Very long ones are left out.
func (d *Defaults) Fields() []string {
	var fields []string
	seen := map[string]bool{}
	for _, o := range d.operations {
		field := strings.Join(named(o.path), ".")
		if field == "" || seen[field] || len(field) > maxField || strings.ContainsFunc(field, unicode.IsControl) {
			continue
		}
		seen[field] = true
		fields = append(fields, field)
	}
	return fields
}

// named is a path up to the first index of an array. A member of an object whose name is a number ends it, too.
func named(path []string) []string {
	for i, part := range path {
		if part == "-" || part != "" && strings.Trim(part, "0123456789") == "" {
			return path[:i]
		}
	}
	return path
}
