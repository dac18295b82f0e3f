// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"encoding/json"
	"strconv"
)

// value is an argument or an expected result: a number as text, or the lanes of a vector.
type value struct {
	Type  string          `json:"type"`
	Lane  string          `json:"lane_type"`
	Value json.RawMessage `json:"value"`
}

// text returns the value of a type other than v128. "" means any value, which is used for references.
func (v value) text() string {
	var s string
	_ = json.Unmarshal(v.Value, &s)
	return s
}

func (v value) lanes() (lanes []string, bits int) {
	_ = json.Unmarshal(v.Value, &lanes)
	return lanes, 128 / max(len(lanes), 1)
}

// number returns the bits of a number, which is formatted with or without a sign.
func number(s string, bits int) uint64 {
	if n, err := strconv.ParseUint(s, 10, bits); err == nil {
		return n
	}
	n, err := strconv.ParseInt(s, 10, bits)
	if err != nil {
		panic(err)
	}
	return uint64(n) & (1<<(bits-1)<<1 - 1)
}

func width(typ string) int {
	switch typ {
	case "i8":
		return 8
	case "i16":
		return 16
	case "i32", "f32":
		return 32
	default:
		return 64
	}
}

// arguments returns values in the form that a call takes: a vector is two values.
func arguments(values []value) (args []uint64) {
	for _, v := range values {
		switch v.Type {
		case "v128":
			lanes, bits := v.lanes()
			var halves [2]uint64
			for i, lane := range lanes {
				halves[i*bits/64] |= number(lane, bits) << (i * bits % 64)
			}
			args = append(args, halves[0], halves[1])
		case "externref", "funcref":
			if s := v.text(); s == "null" {
				args = append(args, 0)
			} else { // zero is null in wazero
				args = append(args, number(s, 64)+1)
			}
		default:
			args = append(args, number(v.text(), width(v.Type)))
		}
	}
	return args
}

// matches reports whether the results are as expected.
func matches(expected []value, results []uint64) bool {
	for _, v := range expected {
		size := 1
		if v.Type == "v128" {
			size = 2
		}
		if len(results) < size || !v.matches(results[:size]) {
			return false
		}
		results = results[size:]
	}
	return len(results) == 0
}

func (v value) matches(result []uint64) bool {
	switch v.Type {
	case "v128":
		lanes, bits := v.lanes()
		for i, lane := range lanes {
			got := result[i*bits/64] >> (i * bits % 64) & (1<<(bits-1)<<1 - 1)
			if !matchesNumber(lane, got, bits) {
				return false
			}
		}
		return true
	case "externref", "funcref":
		switch s := v.text(); s {
		case "":
			return true
		case "null":
			return result[0] == 0
		default:
			return result[0] == number(s, 64)+1
		}
	case "i32", "f32":
		return matchesNumber(v.text(), result[0]&(1<<32-1), 32)
	default:
		return matchesNumber(v.text(), result[0], 64)
	}
}

// matchesNumber compares bits. There are several kinds of NaN (core 2.0, section 2.2.3).
func matchesNumber(want string, got uint64, bits int) bool {
	significand := 23
	if bits == 64 {
		significand = 52
	}
	sign := uint64(1) << (bits - 1)
	canonical := (sign - 1) &^ (1<<(significand-1) - 1) // the whole exponent, and the first bit of the significand
	switch want {
	case "nan:canonical":
		return got&^sign == canonical
	case "nan:arithmetic":
		return got&canonical == canonical
	default:
		return got == number(want, bits)
	}
}
