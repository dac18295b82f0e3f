// SPDX-License-Identifier: Apache-2.0

package json_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

func TestDecoder_string(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, want string }{
		"plain":                     {`"tools"`, "tools"},
		"empty":                     {`""`, ""},
		"null is the zero value":    {`null`, ""},
		"every short escape":        {`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		"unicode escape":            {`"\u00E9"`, "é"},
		"surrogate pair":            {`"\ud83d\ude00"`, "😀"},
		"high surrogate alone":      {`"\ud83dx"`, "\ufffdx"},
		"low surrogate alone":       {`"\ude00"`, "\ufffd"},
		"two high surrogates":       {`"\ud83d\ud83d\ude00"`, "\ufffd😀"},
		"surrogate, other escape":   {`"\ud83d\n"`, "\ufffd\n"},
		"UTF-8 as it is":            {`"é😀"`, "é😀"},
		"DEL is no control to JSON": {"\"\x7f\"", "\x7f"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := json.NewDecoder(c.text)
			if got := d.String(); got != c.want || d.End() != nil {
				t.Errorf("got %q, %v; want %q", got, d.End(), c.want)
			}
		})
	}
}

func TestDecoder_integers(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text    string
		want    int64
		message string
	}{
		"zero":             {"0", 0, ""},
		"minus zero":       {"-0", 0, ""},
		"largest":          {"9223372036854775807", 9223372036854775807, ""},
		"smallest":         {"-9223372036854775808", -9223372036854775808, ""},
		"null":             {"null", 0, ""},
		"one too large":    {"9223372036854775808", 0, "want a 64-bit integer, found 9223372036854775808 (at byte 0)"},
		"fraction":         {" 1.5", 0, "want a 64-bit integer, found 1.5 (at byte 1)"},
		"exponent":         {"1e3", 0, "want a 64-bit integer, found 1e3 (at byte 0)"},
		"string":           {`"1"`, 0, "want a number, found a string (at byte 0)"},
		"very many digits": {strings.Repeat("1", 1000), 0, "want a 64-bit integer, found " + strings.Repeat("1", 40) + "… (at byte 0)"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := json.NewDecoder(c.text)
			got := d.Int()
			if message := messageOf(d.End()); got != c.want || message != c.message {
				t.Errorf("got %d, %q; want %d, %q", got, message, c.want, c.message)
			}
		})
	}
}

func TestDecoder_int32Range(t *testing.T) {
	t.Parallel()
	d := json.NewDecoder("[2147483647,-2147483648,2147483648]")
	var got []int32
	for range d.Elements() {
		got = append(got, d.Int32())
	}
	if want := []int32{2147483647, -2147483648, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := messageOf(d.Err()), "[2]: want a 32-bit integer, found 2147483648 (at byte 24)"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestDecoder_errorsNameTheirPlace(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, want string }{
		"nothing":            {"", "want a value, found the end (at byte 0)"},
		"wrong kind":         {"[]", "want an object, found an array (at byte 0)"},
		"wrong kind inside":  {`{"s": 1}`, "s: want a string, found a number (at byte 6)"},
		"in an array":        {`{"x":{},"l":["a", true]}`, "l[1]: want a string, found a boolean (at byte 18)"},
		"in a map":           {`{"m":{"k":{}}}`, "m.k: want a string, found an object (at byte 10)"},
		"in a skipped value": {`{"other":{"deep":[0,[1,2x]]}}`, "other.deep[1]: want , or ], found 'x' (at byte 24)"},
		"number cut off":     {`{"i":-}`, "i: want a digit, found '}' (at byte 6)"},
		"comma at the end":   {`{"i":1,}`, "want a name in quotes, found '}' (at byte 7)"},
		"colon missing":      {`{"i" 1}`, "want :, found '1' (at byte 5)"},
		"string without end": {`{"s":"abc`, "s: string has no end (at byte 5)"},
		"invalid UTF-8":      {"{\"s\":\"a\xff\"}", "s: string is not valid UTF-8 (at byte 5)"},
		"control character":  {"{\"s\":\"a\n\"}", "s: control character in a string (at byte 7)"},
		"bad escape":         {`{"s":"\q"}`, "s: invalid escape in a string (at byte 6)"},
		"bad literal":        {`{"b":trve}`, "b: want true, found 't' (at byte 5)"},
		"more behind":        {`{} {}`, "want the end of the text, found '{' (at byte 3)"},
		"byte that is none":  {"{\x00", "want a name in quotes, found byte 0x0 (at byte 1)"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := json.Unmarshal(c.text, new(typed))
			if got := messageOf(err); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if as := new(json.Error); err != nil && !errors.As(err, &as) {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}

func TestDecoder_failNamesTheValueJustRead(t *testing.T) {
	t.Parallel()
	d := json.NewDecoder(`{"max_depth": 0, "other": 1}`)
	for name := range d.Members() {
		if name == "max_depth" && d.Int() < 1 {
			d.Fail("must be at least 1")
			d.Fail("only the first error counts")
		}
	}
	if got, want := messageOf(d.End()), "max_depth: must be at least 1 (at byte 14)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDecoder_leavingALoopEarlySkipsTheRest(t *testing.T) {
	t.Parallel()
	d := json.NewDecoder(`[{"a":1,"b":{"c":[2]}},[3,[4]],5]`)
	var got []int64
	for i := range d.Elements() {
		switch i {
		case 0:
			for range d.Members() {
				got = append(got, d.Int())
				break
			}
		case 1:
			for range d.Elements() {
				break // without decoding the element
			}
		default:
			got = append(got, d.Int())
		}
	}
	if want := []int64{1, 5}; !slices.Equal(got, want) || d.End() != nil {
		t.Errorf("got %v, %v; want %v", got, d.End(), want)
	}
}

func TestDecoder_null(t *testing.T) {
	t.Parallel()
	d := json.NewDecoder(`[null, 1, x]`)
	var got []bool
	for range d.Elements() {
		got = append(got, d.Null())
	}
	if want := []bool{true, false, true}; !slices.Equal(got, want) || d.Err() == nil {
		t.Errorf("got %v, %v; want %v and an error", got, d.Err(), want)
	}
}

func TestDecoder_depth(t *testing.T) {
	t.Parallel()
	nest := func(n int) string { return strings.Repeat(`{"a":[`, n/2) + strings.Repeat(`]}`, n/2) }
	if !json.Valid(nest(json.MaxDepth)) {
		t.Errorf("%d levels are rejected", json.MaxDepth)
	}
	if json.Valid(nest(json.MaxDepth + 2)) {
		t.Errorf("%d levels are accepted", json.MaxDepth+2)
	}
	if err := json.Unmarshal(nest(json.MaxDepth+2), &value{}); err == nil {
		t.Errorf("%d levels are read", json.MaxDepth+2)
	}
}

func TestDecoder_allocatesNothing(t *testing.T) {
	const text = `{"metadata":{"name":"tools","labels":{"a":"b"}},"spec":{"s":"text","i":42,"l":[1,2,3]}}`
	var s string
	var sum int64
	got := testing.AllocsPerRun(100, func() {
		d := json.NewDecoder(text)
		for name := range d.Members() {
			if name != "spec" {
				continue
			}
			for name := range d.Members() {
				switch name {
				case "s":
					s = d.String()
				case "i":
					sum += d.Int()
				case "l":
					for range d.Elements() {
						sum += d.Int()
					}
				}
			}
		}
		if d.End() != nil {
			t.Fatal(d.End())
		}
	})
	if got != 0 || s != "text" {
		t.Errorf("%v allocations", got)
	}
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
