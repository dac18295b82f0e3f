// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A guest chooses the number of members of an object and of elements of an array. Decoding them into maps and slices
// before counting them takes many times the memory of the payload. Objects and arrays that are limited in number are
// therefore split by the functions in this file, which do not allocate memory, and counted meanwhile. The parts are not
// validated as JSON: each part is decoded separately.

var errNotJSON = errors.New("decode payload: not valid JSON")

// eachMember calls do with the quoted name and the value of every member of an object.
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

// each calls do with each part between the commas of an object or an array.
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

// skipJSON returns the length of the first token of a text: a string, an object or array with its content, or a run of
// other bytes. It returns 0 if the text is empty, or if the token has no end.
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

// skipString returns the length of the quoted string at the beginning of a text, or 0 if it has no end.
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

// skipPlain returns the number of bytes before the next quote, bracket, comma or colon, or 1 if the text begins with
// one.
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

// CheckValues returns an error if a payload has more JSON values than allowed. It may count some values twice. It
// counts without decoding, because maps and slices of many small values take many times the bytes of their text.
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
