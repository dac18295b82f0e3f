// SPDX-License-Identifier: Apache-2.0

package json

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// String encodes a string. Bytes that are not UTF-8 become U+FFFD, because JSON cannot contain them.
func (e *Encoder) String(s string) {
	e.comma()
	e.out = append(e.out, '"')
	done := 0 // everything before is written
	for i := 0; i < len(s); {
		c := s[i]
		if ' ' <= c && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
		}
		e.out = append(e.out, s[done:i]...)
		e.escape(c)
		i += size
		done = i
	}
	e.out = append(e.out, s[done:]...)
	e.out = append(e.out, '"')
}

// escape writes an escape for one byte that a string cannot contain.
func (e *Encoder) escape(c byte) {
	switch c {
	case '"', '\\':
		e.out = append(e.out, '\\', c)
	case '\n':
		e.out = append(e.out, `\n`...)
	case '\r':
		e.out = append(e.out, `\r`...)
	case '\t':
		e.out = append(e.out, `\t`...)
	default:
		if c >= utf8.RuneSelf {
			e.out = utf8.AppendRune(e.out, utf8.RuneError)
			return
		}
		e.out = append(e.out, `\u00`...)
		e.out = append(e.out, hexDigits[c>>4], hexDigits[c&0xf])
	}
}
