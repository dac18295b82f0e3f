// SPDX-License-Identifier: Apache-2.0

package json

// Kind is the kind of a JSON value.
type Kind uint8

// The kinds. KindInvalid is not a value: it is the end of the text, or a character that starts no value.
const (
	KindInvalid Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
)

// String returns the kind's name for messages.
func (k Kind) String() string {
	switch k {
	case KindNull:
		return "null"
	case KindBool:
		return "boolean"
	case KindNumber:
		return "number"
	case KindString:
		return "string"
	case KindArray:
		return "array"
	case KindObject:
		return "object"
	default:
		return "no value"
	}
}

// kindOf returns the kind of a value by its first character.
func kindOf(c byte) Kind {
	switch {
	case c == '"':
		return KindString
	case c == '{':
		return KindObject
	case c == '[':
		return KindArray
	case c == '-' || isDigit(c):
		return KindNumber
	case c == 't' || c == 'f':
		return KindBool
	case c == 'n':
		return KindNull
	default:
		return KindInvalid
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
