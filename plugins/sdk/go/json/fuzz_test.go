// SPDX-License-Identifier: Apache-2.0

package json_test

import (
	stdjson "encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// seeds are the texts that the fuzzers start from, valid and invalid ones.
var seeds = []string{
	`null`, `true`, `false`, `0`, `-0`, `12`, `-1.5e+10`, `1E-2`, `"a"`, `""`, `[]`, `{}`,
	` { "a" : [ 1 , { "b" : null } , "\u00e9\ud83d\ude00\ud800" ] } `,
	`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","labels":{"a":"b"}},"data":{"k":"v"}}`,
	``, ` `, `nul`, `tru`, `01`, `-`, `1.`, `1e`, `+1`, `.5`, `"`, `"\`, `"\x"`, `"\u12"`, "\"\x01\"", "\"\xff\"",
	`[1,]`, `[,1]`, `[1 2]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `[}`, `{]`, `nulls`, `[] []`, `1e999`,
	`9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `{"a":1,"a":2}`,
	strings.Repeat("[", 1001), strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
}

func addSeeds(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
}

// sameVerdict reports whether both decoders should agree about a text. encoding/json replaces invalid UTF-8 and allows
// deeper nesting.
func sameVerdict(text string) bool {
	return utf8.ValidString(text) && strings.Count(text, "[")+strings.Count(text, "{") <= json.MaxDepth
}

// FuzzDecode_value compares decoding of arbitrary values with encoding/json.
func FuzzDecode_value(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		var got value
		err := json.Unmarshal(text, &got)
		if !sameVerdict(text) {
			return
		}
		var want any
		wantErr := stdjson.Unmarshal([]byte(text), &want)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error = %v, encoding/json says %v", err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got.v, want) {
			t.Fatalf("got %#v, encoding/json says %#v", got.v, want)
		}
	})
}

// FuzzDecode_skip checks that skipping is as strict as decoding, and that a Raw is exactly the value.
func FuzzDecode_skip(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		if sameVerdict(text) && json.Valid(text) != stdjson.Valid([]byte(text)) {
			t.Fatalf("Valid = %v, encoding/json disagrees", json.Valid(text))
		}
		var raw json.Raw
		if err := json.Unmarshal(text, &raw); (err == nil) != json.Valid(text) {
			t.Fatalf("Raw: error = %v, Valid = %v", err, json.Valid(text))
		} else if err == nil && string(raw) != strings.Trim(text, " \t\r\n") {
			t.Fatalf("Raw = %q", raw)
		}
	})
}

// typed calls every typed method of the Decoder.
type typed struct {
	s string
	i int64
	f float64
	b bool
	l []string
	m map[string]string
}

func (v *typed) UnmarshalK1s(d *json.Decoder) {
	*v = typed{}
	for name := range d.Members() {
		switch name {
		case "s":
			v.s = d.String()
		case "i":
			v.i = d.Int()
		case "f":
			v.f = d.Float()
		case "b":
			v.b = d.Bool()
		case "l":
			v.l = d.Strings()
		case "m":
			v.m = d.StringMap()
		case "stop":
			return
		}
	}
}

// FuzzDecode_typed compares typed decoding with encoding/json, member by member.
func FuzzDecode_typed(f *testing.F) {
	addSeeds(f)
	f.Add(`{"s":"x","i":-3,"f":1.5,"b":true,"l":["a"],"m":{"k":"v"},"other":[{}]}`)
	f.Add(`{"s":null,"i":null,"f":null,"b":null,"l":null,"m":null}`)
	f.Add(`{"i":1.0}`)
	f.Add(`{"stop":[1,{"a":2}],"s":3}`)
	f.Fuzz(func(t *testing.T, text string) {
		var got typed
		err := json.Unmarshal(text, &got)
		// encoding/json ignores the case of names, and does not change a member for null.
		if !sameVerdict(text) || strings.Contains(text, "null") || strings.Contains(text, "stop") ||
			strings.ToLower(text) != text || strings.Contains(text, `\u`) || strings.ContainsRune(text, 'ſ') {
			return
		}
		var want struct {
			S string            `json:"s"`
			I int64             `json:"i"`
			F float64           `json:"f"`
			B bool              `json:"b"`
			L []string          `json:"l"`
			M map[string]string `json:"m"`
		}
		wantErr := stdjson.Unmarshal([]byte(text), &want)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error = %v, encoding/json says %v", err, wantErr)
		}
		if err == nil && (got.s != want.S || got.i != want.I || got.f != want.F || got.b != want.B ||
			strings.Join(got.l, "\x00") != strings.Join(want.L, "\x00")) {
			t.Fatalf("got %+v, encoding/json says %+v", got, want)
		}
	})
}

// FuzzEncode_roundTrip encodes a decoded value and decodes it again, with both decoders.
func FuzzEncode_roundTrip(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		var first value
		if json.Unmarshal(text, &first) != nil {
			return
		}
		out, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		var second value
		if err := json.Unmarshal(string(out), &second); err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("written as %s, read again: %v, %v", out, second.v, err)
		}
		var std any
		if err := stdjson.Unmarshal(out, &std); err != nil || !reflect.DeepEqual(first.v, std) {
			t.Fatalf("written as %s, encoding/json reads %v, %v", out, std, err)
		}
	})
}

// FuzzEncode_string checks that any Go string is encoded as valid JSON.
func FuzzEncode_string(f *testing.F) {
	for _, seed := range []string{"", "a", "\"\\\x00\x1f\n\r\t", "\xff\xfe", "é😀\u2028", "\ufffd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out, err := json.Marshal(value{s})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := stdjson.Unmarshal(out, &got); err != nil || got != string([]rune(s)) {
			t.Fatalf("%q is written as %s: %q, %v", s, out, got, err)
		}
	})
}

// FuzzRaw_edit checks that an edit of any valid text gives a valid text with the value at its path.
func FuzzRaw_edit(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed, "a", "0")
	}
	f.Fuzz(func(t *testing.T, text, first, second string) {
		raw := json.Raw(text)
		changed, err := raw.Set(`"new"`, first, second)
		if err != nil {
			return
		}
		if !json.Valid(string(changed)) {
			t.Fatalf("Set gives %s", changed)
		}
		if got, _ := changed.Get(first, second); got != `"new"` && utf8.ValidString(first) && utf8.ValidString(second) {
			t.Fatalf("%s: Get = %s", changed, got)
		}
		removed, err := changed.Remove(first, second)
		if err != nil || !json.Valid(string(removed)) {
			t.Fatalf("Remove gives %s, %v", removed, err)
		}
	})
}
