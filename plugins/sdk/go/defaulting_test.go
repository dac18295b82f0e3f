// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	stdjson "encoding/json"
	"maps"
	"reflect"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// FuzzChanged checks that an object of which a type has all fields becomes the handler's result, and that members that
// the type does not have stay as they are.
func FuzzChanged(f *testing.F) {
	for _, pair := range [][2]string{
		{`{}`, `{"a":1}`}, {`{"a":{"b":[1,{"c":null}]}}`, `{"a":{"b":[2,{"c":{}}]}}`}, {`{"a":[]}`, `{"a":{}}`}, {`{"a":"\u0061"}`, `{"a":"\\\""}`},
		{`{"a":null}`, `{"a":{"b":1}}`}, {`{"a":1,"b":2}`, `{"b":3,"c":[[]]}`},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		var was, want map[string]any
		if stdjson.Unmarshal([]byte(before), &was) != nil || stdjson.Unmarshal([]byte(after), &want) != nil || was == nil || want == nil {
			t.Skip()
		}
		// In the encoded text, no name occurs twice.
		then, now := raw(t, was), raw(t, want)
		if got := object(t, then, then, now); !reflect.DeepEqual(got, want) {
			t.Errorf("%s to %s: got %v", then, now, got)
		}
		const unknown = "a name that the type does not have"
		if _, taken := was[unknown]; taken {
			t.Skip()
		}
		was[unknown] = "x"
		larger := maps.Clone(want)
		larger[unknown] = "x"
		if _, taken := want[unknown]; taken {
			t.Skip()
		}
		if got := object(t, raw(t, was), then, now); !reflect.DeepEqual(got, larger) {
			t.Errorf("%s to %s: got %v of a larger object", then, now, got)
		}
	})
}

func raw(t *testing.T, v any) json.Raw {
	t.Helper()
	text, err := stdjson.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(string(text)) { // nested too deeply
		t.Skip()
	}
	return json.Raw(text)
}

// object returns the object after the change.
func object(t *testing.T, value, before, after json.Raw) (o map[string]any) {
	t.Helper()
	text, err := changed(value, before, after)
	if err != nil {
		t.Fatal(err)
	}
	if text == nil {
		text = []byte(value)
	}
	if err := stdjson.Unmarshal(text, &o); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}
