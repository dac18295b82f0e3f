// SPDX-License-Identifier: Apache-2.0

package json

import "strconv"

// Error is an error in a JSON text and its position.
type Error struct {
	// Path is the path of the value, such as `spec.tags[2]`. It is empty for the outermost value.
	Path string
	// Offset is the position in the text in bytes.
	Offset int
	// Message says what was expected and what was found.
	Message string
}

// Error returns the error as "path: message (at byte offset)".
func (e *Error) Error() string {
	text := e.Message + " (at byte " + strconv.Itoa(e.Offset) + ")"
	if e.Path != "" {
		return e.Path + ": " + text
	}
	return text
}

// errQuiet replaces any error while the path of another one is computed.
var errQuiet = &Error{}

// Fail records, as an [*Error], that the value just decoded is not acceptable. Only the first error counts.
func (d *Decoder) Fail(message string) {
	// The position is after the value. Its last byte still belongs to it.
	d.fail(message, max(d.pos-1, 0))
}

func (d *Decoder) fail(message string, offset int) {
	switch {
	case d.err != nil:
	case d.quiet:
		d.err = errQuiet
	default:
		d.err = &Error{Path: pathAt(d.text, offset), Offset: offset, Message: message}
	}
}

// syntax records that the text ends, or continues with a wrong character.
func (d *Decoder) syntax(want string) {
	if d.pos >= len(d.text) {
		d.fail(want+", found the end", d.pos)
		return
	}
	d.fail(want+", found "+quoteByte(d.text[d.pos]), d.pos)
}

func quoteByte(c byte) string {
	if c < ' ' || c > '~' {
		return "byte 0x" + strconv.FormatUint(uint64(c), 16)
	}
	return "'" + string(rune(c)) + "'"
}
