// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// size is the size of a JSON text.
type size struct {
	// values counts the values and the names of members.
	values, depth int
	// wide is true if a number needs big-number arithmetic: it has many digits, or an exponent.
	wide bool
}

// decode decodes one JSON value within the limits. It keeps numbers as they are written.
func decode(text []byte, maxBytes, maxValues, maxDepth int) (any, size, error) {
	if len(text) > maxBytes {
		return nil, size{}, limited("it has %d bytes, more than the %d allowed", len(text), maxBytes)
	}
	n, err := measure(text)
	switch {
	case err != nil:
		return nil, n, err
	case n.depth > maxDepth:
		return nil, n, limited("it has %d levels, more than the %d allowed", n.depth, maxDepth)
	case n.values > maxValues:
		return nil, n, limited("it has %d values, more than the %d allowed", n.values, maxValues)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	return value, n, err
}

// measure measures a JSON text without decoding it. If the text is not well-formed, the result has no meaning.
func measure(text []byte) (n size, err error) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '{' || c == '[':
			n.values++
			depth++
			n.depth = max(n.depth, depth)
		case c == '}' || c == ']':
			depth--
		case c == '"':
			n.values++
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case c == '-' || c >= '0' && c <= '9':
			n.values++
			end := i + 1
			for end < len(text) && strings.IndexByte("+-.eE0123456789", text[end]) >= 0 {
				end++
			}
			number := string(text[i:end])
			if !reasonable(number) {
				return n, fmt.Errorf("number %.20s is out of range", number)
			}
			n.wide = n.wide || len(number) > 20 || strings.ContainsAny(number, "eE")
			i = end - 1
		case c == 't' || c == 'f' || c == 'n':
			n.values++
			for i+1 < len(text) && text[i+1] >= 'a' && text[i+1] <= 'z' {
				i++
			}
		}
	}
	return n, nil
}

// reasonable reports whether exact arithmetic with a number is cheap. It takes as many digits as the exponent says.
func reasonable(number string) bool {
	const most = 400 // the largest float64 is about 1e308
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	digits := strings.TrimLeft(exponent, "+-0")
	return len(mantissa) <= most && len(digits) <= len("400") && (len(digits) < len("400") || digits <= "400")
}
