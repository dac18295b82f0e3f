// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// jsonPatch implements RFC 6902 without move and copy.
func jsonPatch(target, patch any) (any, error) {
	operations, ok := patch.([]any)
	if !ok {
		return nil, fmt.Errorf("a JSON patch is an array")
	}
	for i, operation := range operations {
		o, _ := operation.(object)
		op, path := text(o, "op"), text(o, "path")
		var err error
		if target, err = operate(target, op, pointer(path), o["value"]); err != nil {
			return nil, fmt.Errorf("operation %d (%s %s): %w", i, op, path, err)
		}
	}
	return target, nil
}

// pointer splits a JSON pointer (RFC 6901).
func pointer(path string) []string {
	if path == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	return parts
}

// operate returns target after one operation on the value at path.
func operate(target any, op string, path []string, value any) (any, error) {
	if len(path) == 0 {
		switch {
		case op == "test" && equal(target, value):
			return target, nil
		case op == "replace":
			return value, nil
		}
		return nil, fmt.Errorf("cannot be done, or the test fails")
	}
	last := len(path) == 1
	switch t := target.(type) {
	case object:
		return operateObject(t, op, path, value, last)
	case []any:
		return operateArray(t, op, path, value, last)
	default:
		return nil, fmt.Errorf("%q is not there", path[0])
	}
}

func operateObject(o object, op string, path []string, value any, last bool) (any, error) {
	member, there := o[path[0]]
	switch {
	case last && op == "add":
		o[path[0]] = value
		return o, nil
	case !there:
		return nil, fmt.Errorf("%q is not there", path[0])
	case last && op == "remove":
		delete(o, path[0])
		return o, nil
	}
	changed, err := operate(member, op, path[1:], value)
	if err == nil {
		o[path[0]] = changed
	}
	return o, err
}

func operateArray(list []any, op string, path []string, value any, last bool) (any, error) {
	if last && op == "add" && path[0] == "-" {
		return append(list, value), nil
	}
	i, err := strconv.Atoi(path[0])
	switch {
	case err != nil || i < 0 || i > len(list):
		return nil, fmt.Errorf("%q is no index", path[0])
	case last && op == "add":
		return slices.Insert(list, i, value), nil
	case i == len(list):
		return nil, fmt.Errorf("%q is behind the end", path[0])
	case last && op == "remove":
		return slices.Delete(list, i, i+1), nil
	}
	changed, err := operate(list[i], op, path[1:], value)
	if err == nil {
		list[i] = changed
	}
	return list, err
}
