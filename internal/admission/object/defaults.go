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
	// maxDefaulted is the maximum length of set_defaults' reply, and of the object with its changes, in bytes: the API
	// server accepts no larger objects.
	maxDefaulted = 3 << 20
	// maxValues is how many JSON values a reply may have: each takes up to a hundred bytes, however short its text is.
	maxValues = 250_000
	// maxOperations is how many operations a guest's patch, and the patch for the API server, may have.
	maxOperations = 1000
	// maxWork limits a guest's patch. It is the number of operations times the bytes that each may process, which are
	// those of the object and of the patch. The patch is applied without fuel, and one that inserts into a long array
	// moves the whole array each time.
	maxWork = 64 << 20
	// maxParts is how many parts all paths of the patch for the API server may have.
	maxParts = 100 * maxOperations
)

// Defaults are the changes that a guest has made to an object.
type Defaults struct {
	// Patch is the JSON patch from the object to the one with defaults. It is empty if nothing changes.
	Patch []byte
	// Object is the object with defaults.
	Object map[string]any

	operations []operation
}

// ReadDefaults parses set_defaults' reply, a whole object or a JSON patch, and compares it with the object that the
// guest received. Its errors describe what the guest did wrong.
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
		return nil, fmt.Errorf("the object itself: %w", err) // the API server does not send such an object
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
	d.UseNumber() // a float64 cannot represent every int64
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, fmt.Errorf("it is not an object: %.200q", err.Error())
	}
	if object == nil {
		return nil, errors.New("it is not an object: it is null")
	}
	return object, nil
}

// apply applies a guest's patch. The library for it panics on some invalid patches.
func apply(object, patch []byte) (after []byte, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			after, err = nil, errors.New("the patch does not apply: one of its operations makes no sense")
		}
	}()
	operations, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		return nil, fmt.Errorf("it is not a JSON patch: %.200q", err.Error())
	}
	if len(operations) > maxOperations {
		return nil, fmt.Errorf("the patch has %d operations, more than the %d allowed", len(operations), maxOperations)
	}
	if len(operations)*(len(object)+len(patch)) > maxWork {
		return nil, fmt.Errorf("a patch with %d operations is too much for an object and a patch of %d bytes: reply with the whole object",
			len(operations), len(object)+len(patch))
	}
	options := jsonpatch.NewApplyOptions()
	options.AccumulatedCopySizeLimit = maxDefaulted // otherwise, a few operations could double an object many times
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

// guard rejects changes that defaulting must not make: to the object's identity, and to the fields that the API server
// or controllers own. In metadata, only labels and annotations can be changed. A field with an empty value counts as
// absent.
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

// guardMembers rejects changes of fields that defaulting must not change, and reverts differences between empty and
// absent fields. It skips metadata, whose fields are checked separately.
func guardMembers(prefix string, was, is map[string]any, free func(name string) bool) error {
	names := make([]string, 0, len(was)+len(is))
	for name := range was {
		names = append(names, name)
	}
	for name := range is {
		names = append(names, name)
	}
	slices.Sort(names) // for a stable error
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

// empty reports whether a value is empty: guests in typed languages write such fields where there were none.
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

// maxField is the maximum length of a field's name, in bytes. A label's name is part of it.
const maxField = 128

// Fields returns the fields that the patch changes, each once, such as "spec.category". An array is one field with all
// its elements. Very long fields are omitted.
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

// named returns a path up to the first index of an array. A field whose name is a number ends it, too.
func named(path []string) []string {
	for i, part := range path {
		if part == "-" || part != "" && strings.Trim(part, "0123456789") == "" {
			return path[:i]
		}
	}
	return path
}
