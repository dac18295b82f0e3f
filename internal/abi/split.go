// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A guest chooses how many members an object and how many elements an array has. Decoding them into maps and slices
// first and counting them afterwards costs many times the payload, so what is limited in number is split by the
// functions here, which allocate nothing, and counted on the way. What they split off is not yet known to be JSON:
// each part is decoded by itself.

var errNotJSON = errors.New("decode payload: not valid JSON")

// eachMember calls do with the name, as it is quoted, and the value of every member of an object.
func eachMember(object []byte, do func(name, value []byte) error) error {
	return each(object, '{', '}', func(part []byte) error {
		name := part[:skipJSON(part)]
		rest, ok := bytes.CutPrefix(trimSpace(part[len(name):]), []byte(":"))
		if len(name) < 2 || name[0] != '"' || !ok {
			return errNotJSON
		}
		value := trimSpace(rest)
		if len(value) == 0 || skipJSON(value) != len(value) {
			return errNotJSON
		}
		return do(name, value)
	})
}

// eachElement calls do with every element of an array.
func eachElement(array []byte, do func(value []byte) error) error {
	return each(array, '[', ']', func(part []byte) error {
		if len(part) == 0 || skipJSON(part) != len(part) {
			return errNotJSON
		}
		return do(part)
	})
}

// each calls do with what stands between the commas of an object or an array.
func each(value []byte, opening, closing byte, do func(part []byte) error) error {
	value = trimSpace(value)
	if len(value) < 2 || value[0] != opening || value[len(value)-1] != closing {
		return fmt.Errorf("decode payload: want %c…%c", opening, closing)
	}
	rest := trimSpace(value[1 : len(value)-1])
	if len(rest) == 0 {
		return nil
	}
	for {
		end := 0
		for end < len(rest) && rest[end] != ',' {
			n := skipJSON(rest[end:])
			if n == 0 {
				return errNotJSON
			}
			end += n
		}
		if err := do(trimSpace(rest[:end])); err != nil {
			return err
		}
		if end == len(rest) {
			return nil
		}
		rest = rest[end+1:]
	}
}

// skipJSON returns the length of what begins a text: a string, an object or array with all it holds, or a run of
// bytes that are none of these. It is 0 where nothing begins, or what begins has no end.
func skipJSON(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			n := skipString(text[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return 0
			}
		default:
			if depth == 0 {
				return skipPlain(text)
			}
		}
	}
	return 0
}

// skipString returns the length of the quoted string that begins a text, or 0 if it has no end.
func skipString(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// skipPlain returns how many bytes stand before the next quote, bracket, comma or colon, at least one of a colon's own.
func skipPlain(text []byte) int {
	n := bytes.IndexAny(text, "\"{}[],:")
	switch n {
	case -1:
		return len(text)
	case 0:
		return 1
	default:
		return n
	}
}

func trimSpace(text []byte) []byte { return bytes.Trim(text, " \t\r\n") }

// CheckValues reports an error if a payload has more JSON values than the most allowed, of which it may count some
// twice. It counts without decoding: maps and slices of many small values take many times the bytes of their text.
func CheckValues(payload []byte, most int) error {
	count := 1
	for i := 0; i < len(payload); i++ {
		switch payload[i] {
		case '"':
			n := skipString(payload[i:])
			if n == 0 {
				return errNotJSON
			}
			i += n - 1
		case '{', '[', ',':
			if count++; count > most {
				return fmt.Errorf("more than the %d JSON values allowed", most)
			}
		}
	}
	return nil
}

// unquote decodes a JSON string.
func unquote(quoted []byte) (text string, err error) {
	if err := json.Unmarshal(quoted, &text); err != nil {
		return "", fmt.Errorf("decode payload: %w", err)
	}
	return text, nil
}
