// SPDX-License-Identifier: Apache-2.0

package object

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGuests_managedFields(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"none":               {`{"metadata":{"name":"a"},"spec":{}}`, `{"metadata":{"name":"a"},"spec":{}}`},
		"first":              {`{"metadata":{"managedFields":[{"a":"}\""}],"name":"a"},"spec":{}}`, `{"metadata":{"name":"a"},"spec":{}}`},
		"last":               {`{"metadata":{"name":"a","managedFields":[]}}`, `{"metadata":{"name":"a"}}`},
		"alone":              {`{"kind":"K","metadata":{"managedFields":null}}`, `{"kind":"K","metadata":{}}`},
		"with spaces":        {` { "metadata" : { "name" : "a" , "managedFields" : [ 1 , 2 ] } , "spec" : 1 } `, ` { "metadata" : {"name" : "a"} , "spec" : 1 } `},
		"of something else":  {`{"spec":{"managedFields":[1]},"metadata":{"labels":{"managedFields":"x"}}}`, `{"spec":{"managedFields":[1]},"metadata":{"labels":{"managedFields":"x"}}}`},
		"behind escapes":     {`{"a":"\\","b\"":"\\\"","metadata":{"annotations":{"k":"\"managedFields\":"},"managedFields":[]}}`, `{"a":"\\","b\"":"\\\"","metadata":{"annotations":{"k":"\"managedFields\":"}}}`},
		"no object":          {`[{"metadata":{"managedFields":[]}}]`, `[{"metadata":{"managedFields":[]}}]`},
		"metadata no object": {`{"metadata":"managedFields"}`, `{"metadata":"managedFields"}`},
		"nothing":            {``, ``},
		"broken":             {`{"metadata":{"managedFields":[`, `{"metadata":{}`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, string(Guests([]byte(tt.in)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestName(t *testing.T) {
	for in, want := range map[string]string{
		`{"apiVersion":"a/b","metadata":{"namespace":"n","name":"a"}}`: "a",
		`{"metadata":{"name":"\u0061"}}`:                               "a",
		`{"metadata":{"generateName":"a-"}}`:                           "",
		`{"metadata":{"labels":{"name":"b"}},"name":"c"}`:              "",
		`{"metadata":{"name":7}}`:                                      "",
		`{"metadata":null}`:                                            "",
		`null`:                                                         "",
		``:                                                             "",
	} {
		if got := Name([]byte(in)); got != want {
			t.Errorf("Name(%s) = %q, want %q", in, got, want)
		}
	}
}

func TestTerminating(t *testing.T) {
	for in, want := range map[string]bool{
		`{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}`:       true,
		`{"metadata":{"deletionTimestamp":null}}`:                         false,
		`{"metadata":{"name":"a"},"deletionTimestamp":"x"}`:               false,
		`{"metadata":{"annotations":{"deletionTimestamp":"2026-01-01"}}}`: false,
		`null`: false,
	} {
		if got := Terminating([]byte(in)); got != want {
			t.Errorf("Terminating(%s) = %t, want %t", in, got, want)
		}
	}
}

func TestSameButFinalizers(t *testing.T) {
	const old = `{"kind":"K","metadata":{"finalizers":["a"],"generation":1,"managedFields":[1],"name":"n","resourceVersion":"1"},"spec":{"a":1}}`
	for name, tt := range map[string]struct {
		next string
		want bool
	}{
		"finalizer gone":  {`{"kind":"K","metadata":{"generation":1,"managedFields":[1,2],"name":"n","resourceVersion":"2"},"spec":{"a":1}}`, true},
		"finalizer new":   {`{"kind":"K","metadata":{"finalizers":["a","b"],"generation":1,"name":"n","resourceVersion":"1"},"spec":{"a":1}}`, true},
		"spec too":        {`{"kind":"K","metadata":{"generation":2,"name":"n","resourceVersion":"1"},"spec":{"a":2}}`, false},
		"label too":       {`{"kind":"K","metadata":{"labels":{"a":"b"},"name":"n"},"spec":{"a":1}}`, false},
		"finalizers spec": {`{"kind":"K","metadata":{"name":"n"},"spec":{"a":1,"finalizers":[]}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := SameButFinalizers([]byte(tt.next), []byte(old)); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

// FuzzGuests checks that an object differs in one field only, and that no input causes an access out of bounds.
func FuzzGuests(f *testing.F) {
	f.Add([]byte(`{"metadata":{"managedFields":[{"a":"}\""}],"name":"a"},"spec":{"x":[1,"]"]}}`))
	f.Add([]byte(` {"metadata" : { "name":"\\", "managedFields":1e5 , "x":{} }}`))
	f.Add([]byte(`{"metadata":{"managedFields":[`))
	f.Add([]byte(`{"a":"`))
	f.Fuzz(func(t *testing.T, in []byte) {
		got := Guests(in)
		Terminating(in)
		SameButFinalizers(in, got)
		want, ok := unique(in)
		if !ok {
			return
		}
		if metadata, ok := want["metadata"].(map[string]any); ok {
			delete(metadata, "managedFields")
		}
		var is map[string]any
		if err := json.Unmarshal(got, &is); err != nil {
			t.Fatalf("%q became %q: %v", in, got, err)
		}
		if diff := cmp.Diff(want, is); diff != "" {
			t.Errorf("%q became %q: %s", in, got, diff)
		}
	})
}

// unique decodes an object whose names are unambiguous: without duplicates and without escapes.
func unique(in []byte) (map[string]any, bool) {
	var object map[string]any
	if json.Unmarshal(in, &object) != nil || object == nil {
		return nil, false
	}
	plain := func(raw []byte, object map[string]any) bool {
		n := 0
		for m := range members(raw) {
			if _, ok := object[string(m.name)]; !ok {
				return false
			}
			n++
		}
		return n == len(object)
	}
	metadata, isObject := object["metadata"].(map[string]any)
	return object, plain(in, object) && (!isObject || plain(metadataOf(in), metadata))
}
