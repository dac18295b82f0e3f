// SPDX-License-Identifier: Apache-2.0

package json

import (
	"math"
	"strconv"
)

// Int decodes an integer: a number without fraction and exponent that fits into 64 bits.
func (d *Decoder) Int() int64 { return d.integer(math.MinInt64, math.MaxInt64) }

// Int32 decodes an integer that fits into 32 bits.
func (d *Decoder) Int32() int32 { return int32(d.integer(math.MinInt32, math.MaxInt32)) }

func (d *Decoder) integer(low, high int64) int64 {
	start := d.numberStart()
	text := string(d.Number())
	if d.err != nil || text == "" {
		return 0
	}
	n, ok := parseInt(text)
	switch {
	case !ok:
		d.fail("want a 64-bit integer, found "+clip(text), start)
	case n < low || n > high:
		d.fail("want a 32-bit integer, found "+clip(text), start)
	default:
		return n
	}
	return 0
}

// parseInt parses a valid JSON number. It does not use strconv.ParseInt, whose errors add tens of kilobytes of code for
// quoting.
func parseInt(text string) (int64, bool) {
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	// Negative numbers include the smallest integer, which has no positive counterpart.
	var n int64
	for i := range len(text) {
		c := text[i]
		if !isDigit(c) || n < math.MinInt64/10 || n == math.MinInt64/10 && c > '8' {
			return 0, false
		}
		n = n*10 - int64(c-'0')
	}
	if negative {
		return n, true
	}
	return -n, n != math.MinInt64
}

// Float decodes a number as a 64-bit float. A number out of range is an error.
func (d *Decoder) Float() float64 {
	start := d.numberStart()
	text := string(d.Number())
	if d.err != nil || text == "" {
		return 0
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d.fail("want a 64-bit float, found "+clip(text), start)
		return 0
	}
	return f
}

// Number returns a number as it is written, for numbers that fit no Go type. It returns "" for null.
func (d *Decoder) Number() Raw {
	if !d.want(KindNumber) {
		return ""
	}
	start := d.pos
	if !d.scanNumber() {
		return ""
	}
	return Raw(d.text[start:d.pos])
}

// numberStart returns the position of the next value, for messages.
func (d *Decoder) numberStart() int {
	d.space()
	return d.pos
}

// scanNumber moves past the next number.
func (d *Decoder) scanNumber() bool {
	if d.at('-') {
		d.pos++
	}
	// No digit can follow a leading zero: 01 is two values.
	if d.at('0') {
		d.pos++
	} else if !d.digits() {
		return false
	}
	if d.at('.') {
		d.pos++
		if !d.digits() {
			return false
		}
	}
	if d.at('e') || d.at('E') {
		d.pos++
		if d.at('+') || d.at('-') {
			d.pos++
		}
		return d.digits()
	}
	return true
}

// digits moves past one or more digits.
func (d *Decoder) digits() bool {
	start := d.pos
	for d.pos < len(d.text) && isDigit(d.text[d.pos]) {
		d.pos++
	}
	if d.pos == start {
		d.syntax("want a digit")
		return false
	}
	return true
}

// at reports whether the next byte is c.
func (d *Decoder) at(c byte) bool { return d.pos < len(d.text) && d.text[d.pos] == c }

// clip shortens a number with very many digits, for messages.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
