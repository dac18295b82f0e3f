// SPDX-License-Identifier: Apache-2.0

package json_test

import (
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

func TestRaw_get(t *testing.T) {
	t.Parallel()
	const text = json.Raw(` {"a": {"b": [10, {"c": "x"} ]}, "n": null, "bad": tru}`)
	cases := map[string]struct {
		path []string
		want json.Raw
		ok   bool
	}{
		"member":              {[]string{"a", "b", "1", "c"}, `"x"`, true},
		"element":             {[]string{"a", "b", "0"}, `10`, true},
		"null is a value":     {[]string{"n"}, `null`, true},
		"object":              {[]string{"a", "b", "1"}, `{"c": "x"}`, true},
		"absent":              {[]string{"a", "z"}, ``, false},
		"behind the end":      {[]string{"a", "b", "2"}, ``, false},
		"negative index":      {[]string{"a", "b", "-1"}, ``, false},
		"through a scalar":    {[]string{"a", "b", "0", "x"}, ``, false},
		"value is not valid":  {[]string{"bad"}, ``, false},
		"behind invalid text": {[]string{"zzz"}, ``, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, ok := text.Get(c.path...); got != c.want || ok != c.ok {
				t.Errorf("got %q, %v; want %q, %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func TestRaw_set(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text, value json.Raw
		path        []string
		want        json.Raw
		message     string
	}{
		"replace":               {`{"a":1,"b":2}`, `3`, []string{"a"}, `{"a":3,"b":2}`, ""},
		"add":                   {`{"a":1}`, `3`, []string{"b"}, `{"a":1,"b":3}`, ""},
		"make the way":          {`{}`, `3`, []string{"a", "b", "c"}, `{"a":{"b":{"c":3}}}`, ""},
		"make through null":     {`{"a":null}`, `3`, []string{"a", "b"}, `{"a":{"b":3}}`, ""},
		"of nothing":            {``, `3`, []string{"a"}, `{"a":3}`, ""},
		"element":               {`[1,2]`, `3`, []string{"1"}, `[1,3]`, ""},
		"append":                {`[1,2]`, `3`, []string{"2"}, `[1,2,3]`, ""},
		"in an element":         {`{"l":[{"a":1}]}`, `3`, []string{"l", "0", "a"}, `{"l":[{"a":3}]}`, ""},
		"everything":            {`{"a":1}`, `3`, nil, `3`, ""},
		"to nothing is null":    {`{"a":1}`, ``, []string{"a"}, `{"a":null}`, ""},
		"beyond the end":        {`[1]`, `3`, []string{"5"}, `[1]`, `want an index up to 1, found "5" (at byte 2)`},
		"through a scalar":      {`{"a":1}`, `3`, []string{"a", "b"}, `{"a":1}`, `a: want an object or an array, to get to "b" (at byte 5)`},
		"of invalid text fails": {`{"a":`, `3`, []string{"a"}, `{"a":`, `a: want a value, found the end (at byte 5)`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.text.Set(c.value, c.path...)
			if got != c.want || messageOf(err) != c.message {
				t.Errorf("got %s, %q; want %s, %q", got, messageOf(err), c.want, c.message)
			}
		})
	}
}

func TestRaw_remove(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text json.Raw
		path []string
		want json.Raw
	}{
		"member":           {`{"a":1,"b":2}`, []string{"a"}, `{"b":2}`},
		"last member":      {`{"a":1}`, []string{"a"}, `{}`},
		"element":          {`[1,2,3]`, []string{"1"}, `[1,3]`},
		"deep":             {`{"a":[{"b":1,"c":2}]}`, []string{"a", "0", "b"}, `{"a":[{"c":2}]}`},
		"absent":           {`{"a":1}`, []string{"b", "c"}, `{"a":1}`},
		"through a scalar": {`{"a":1}`, []string{"a", "b"}, `{"a":1}`},
		"nothing named":    {`{"a":1}`, nil, `{"a":1}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := c.text.Remove(c.path...); got != c.want || err != nil {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}
