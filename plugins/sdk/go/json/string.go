// SPDX-License-Identifier: Apache-2.0

package json

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// str decodes the next string. The decoder is at its opening quote.
func (d *Decoder) str() string {
	start := d.pos + 1
	if end := start + plain(d.text[start:]); end < len(d.text) && d.text[end] == '"' {
		d.pos = end + 1
		return d.text[start:end]
	}
	escaped := d.scanString()
	if d.err != nil {
		return ""
	}
	inner := d.text[start : d.pos-1]
	if escaped {
		return unescape(inner)
	}
	return inner
}

// scanString moves past the next string, checks it, and reports whether it contains escapes. The decoder is at its
// opening quote.
func (d *Decoder) scanString() (escaped bool) {
	text, start := d.text, d.pos+1
	ascii := true
	for i := start; ; {
		i += plain(text[i:])
		if i >= len(text) {
			d.fail("string has no end", start-1)
			return false
		}
		switch c := text[i]; {
		case c == '"':
			if !ascii && !utf8.ValidString(text[start:i]) {
				d.fail("string is not valid UTF-8", start-1)
				return false
			}
			d.pos = i + 1
			return escaped
		case c == '\\':
			escaped = true
			n := escapeLength(text[i:])
			if n == 0 {
				d.fail("invalid escape in a string", i)
				return false
			}
			i += n
		case c < ' ':
			d.fail("control character in a string", i)
			return false
		default:
			ascii = false
			i++
		}
	}
}

// plain returns the number of leading bytes of text that are ASCII characters and need no escape in a string. It
// examines eight at a time, because most of a text is in strings: each term below sets the highest bit in those bytes
// of the word that are a quote, a backslash, or below a space. A carry can set it only in bytes after the first of
// them, and only the first one is used.
func plain(text string) int {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		s := text[i : i+8]
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		quote, backslash := w^(ones*'"'), w^(ones*'\\')
		found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-ones*' ')&^w | w) & highest
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// escapeLength returns the length of the escape that text starts with, or 0 if there is none.
func escapeLength(text string) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(text); ok {
			return 6
		}
	}
	return 0
}

// unescape returns the value of inner, which scanString has validated.
func unescape(inner string) string {
	out := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); {
		c := inner[i]
		if c != '\\' {
			out = append(out, c)
			i++
			continue
		}
		if inner[i+1] != 'u' {
			out = append(out, unescapeByte(inner[i+1]))
			i += 2
			continue
		}
		r, n := unescapeRune(inner[i:])
		out = utf8.AppendRune(out, r)
		i += n
	}
	return string(out)
}

func unescapeByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // a quote, backslash or slash is itself
		return c
	}
}

// unescapeRune returns the character of the \u escapes at the beginning of text, and the number of their bytes. A
// surrogate pair is one character in two escapes.
func unescapeRune(text string) (rune, int) {
	r, _ := hex4(text)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if low, ok := hex4(text[6:]); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// hex4 returns the number in the escape \uXXXX at the beginning of text.
func hex4(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for i := 2; i < 6; i++ {
		c := text[i]
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
