// SPDX-License-Identifier: Apache-2.0

package json_test

import (
	"math"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// writes is a Marshaler that calls a function.
type writes func(e *json.Encoder)

func (w writes) MarshalK1s(e *json.Encoder) { w(e) }

func TestEncoder(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		write writes
		want  string
	}{
		"commas between members and elements": {func(e *json.Encoder) {
			e.BeginObject()
			e.Key("a").Int(-1)
			e.Key("b").BeginArray()
			e.Bool(true)
			e.Null()
			e.BeginObject()
			e.EndObject()
			e.Strings(nil)
			e.EndArray()
			e.Key("c").String("{")
			e.Key("d").Raw("[1]")
			e.Key("e").Raw("")
			e.EndObject()
		}, `{"a":-1,"b":[true,null,{},[]],"c":"{","d":[1],"e":null}`},
		"maps are sorted": {func(e *json.Encoder) {
			e.StringMap(map[string]string{"b": "2", "a": "1", "c": "3"})
		}, `{"a":"1","b":"2","c":"3"}`},
		"strings are escaped": {func(e *json.Encoder) {
			e.Strings([]string{"\"\\\n\r\t\x00\x1f", "é😀\u2028<&", "a\xffb\xc3"})
		}, `["\"\\\n\r\t\u0000\u001f","é😀` + "\u2028" + `<&","a�b�"]`},
		"floats are short": {func(e *json.Encoder) {
			e.BeginArray()
			e.Float(1.5)
			e.Float(1e100)
			e.Float(3)
			e.EndArray()
		}, `[1.5,1e+100,3]`},
		"a value writes itself": {func(e *json.Encoder) {
			e.Value(json.Raw(`{"a":1}`))
		}, `{"a":1}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(c.write)
			if err != nil || string(got) != c.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
			}
			if !json.Valid(string(got)) {
				t.Error("this is not valid JSON")
			}
		})
	}
}

func TestEncoder_failures(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]float64{"NaN": math.NaN(), "infinity": math.Inf(-1)} {
		if _, err := json.Marshal(writes(func(e *json.Encoder) { e.Float(f) })); err == nil {
			t.Errorf("%s is written", name)
		}
	}
	_, err := json.Marshal(writes(func(e *json.Encoder) {
		e.Fail("first")
		e.Fail("second")
	}))
	if messageOf(err) != "first" {
		t.Errorf("error %v, want the first one", err)
	}
}
