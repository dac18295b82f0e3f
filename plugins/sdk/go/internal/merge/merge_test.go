// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"strings"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// TestApply covers types that do more than omit fields. The requirements for types that only omit fields are in
// test/conformance/testdata/merge.json.
func TestApply(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value, before, after json.Raw
		want                 json.Raw // or part of the error
	}{
		"numbers and strings in another form": {
			`{"l":[1.0,"\u0061"],"x":1}`, `{"l":[1,"a"]}`, `{"l":[1,"a",2]}`, `{"l":[1.0,"\u0061",2],"x":1}`,
		},
		"other text for the same quantity": {
			`{"l":["1000m","2"],"x":1}`, `{"l":["1","2"]}`, `{"l":["1","2","3"]}`, `{"l":["1","2","3"],"x":1}`,
		},
		"other text within a named element": {
			`[{"name":"a","cpu":"1000m","x":1}]`, `[{"name":"a","cpu":"1"}]`, `[{"name":"b"},{"name":"a","cpu":"1"}]`,
			`[{"name":"b"},{"name":"a","cpu":"1000m","x":1}]`,
		},
		"other text within an element of which all is known": {
			`[{"cpu":"1000m"},{"cpu":"2","x":1}]`, `[{"cpu":"1"},{"cpu":"2"}]`, `[{"cpu":"1"},{"cpu":"2"},{"cpu":"3"}]`,
			`[{"cpu":"1"},{"cpu":"2","x":1},{"cpu":"3"}]`,
		},
		"other text within an element without a name": {
			`{"l":[{"cpu":"1000m","x":1}]}`, `{"l":[{"cpu":"1"}]}`, `{"l":[{"cpu":"1"},{"cpu":"2"}]}`, "error: l: ",
		},
		"sorted by name": {
			`[{"name":"b","x":2},{"name":"a","x":1}]`, `[{"name":"a"},{"name":"b"}]`, `[{"name":"a"},{"name":"b"},{"name":"c"}]`,
			`[{"name":"a","x":1},{"name":"b","x":2},{"name":"c"}]`,
		},
		"sorted by name, one removed": {
			`[{"name":"b","x":2},{"name":"a","x":1}]`, `[{"name":"a"},{"name":"b"}]`, `[{"name":"b"}]`, `[{"name":"b","x":2}]`,
		},
		"sorted without a name": {
			`[{"n":2,"x":2},{"n":1,"x":1}]`, `[{"n":1},{"n":2}]`, `[{"n":1},{"n":2},{"n":3}]`, "error: : ",
		},
		"sorted scalars":          {`["b","a"]`, `["a","b"]`, `["b"]`, `["b"]`},
		"scalars made a set":      {`["b","a","b"]`, `["a","b"]`, `["a","b","c"]`, `["a","b","c"]`},
		"scalars filtered":        {`{"l":["a","?"]}`, `{"l":["a"]}`, `{"l":["a","c"]}`, "error: l: "},
		"elements filtered":       {`{"l":[{"n":1},{"n":2}]}`, `{"l":[{"n":1}]}`, `{"l":[{"n":1},{"n":3}]}`, "error: l: "},
		"filtered and removed":    {`{"l":[{"n":1},{"n":2}]}`, `{"l":[{"n":1}]}`, `{}`, "error: l: "},
		"all filtered":            {`{"l":[{"n":1}]}`, `{}`, `{"l":[{"n":2}]}`, "error: l: "},
		"filtered, not changed":   {`{"l":[{"n":1},{"n":2}],"m":1}`, `{"l":[{"n":1}],"m":1}`, `{"l":[{"n":1}],"m":2}`, `{"l":[{"n":1},{"n":2}],"m":2}`},
		"nulls skipped":           {`[null,{"n":1,"x":1}]`, `[{"n":1}]`, `[{"n":2},{"n":1}]`, `[{"n":2},{"n":1,"x":1}]`},
		"nulls read as elements":  {`[null,{"n":1,"x":1}]`, `[{},{"n":1}]`, `[{"n":1},{}]`, `[{"n":1,"x":1},null]`},
		"elements of the type":    {`{"l":[]}`, `{"l":[{"n":1}]}`, `{"l":[{"n":1},{"n":2}]}`, `{"l":[{"n":1},{"n":2}]}`},
		"fields of the type":      {`[{"name":"a","x":1}]`, `[{"name":"a","p":"TCP"}]`, `[{"name":"b"},{"name":"a","p":"TCP"}]`, `[{"name":"b"},{"name":"a","x":1}]`},
		"list set to null":        {`{"l":[{"n":1,"x":1}]}`, `{"l":[{"n":1}]}`, `{"l":null}`, `{"l":null}`},
		"object set to null":      {`{"o":{"n":1,"x":1}}`, `{"o":{"n":1}}`, `{"o":null}`, `{"o":null}`},
		"object set to {}":        {`{"o":{"n":1,"x":1}}`, `{"o":{"n":1}}`, `{"o":{}}`, `{"o":{"x":1}}`},
		"object left out":         {`{"s":{"o":{"n":1,"x":{"y":1}}}}`, `{"s":{"o":{"n":1,"x":{}}}}`, `{"s":{}}`, `error: s.o: left out, but the plugin's type has no field "x.y"`},
		"list in an object":       {`{"o":{"l":[{"n":1,"x":1}]}}`, `{"o":{"l":[{"n":1}]}}`, `{}`, `error: o: left out, but the plugin's type has no field "l[0].x"`},
		"object to string":        {`{"o":{"n":1,"x":1}}`, `{"o":{"n":1}}`, `{"o":"n"}`, "error: o: changed from an object"},
		"known object to string":  {`{"o":{"n":1},"x":1}`, `{"o":{"n":1}}`, `{"o":"n"}`, `{"o":"n","x":1}`},
		"element to string":       {`[{"n":1,"x":1}]`, `[{"n":1}]`, `["n"]`, "error: [0]"},
		"list to object":          {`{"l":[{"n":1,"x":1}]}`, `{"l":[{"n":1}]}`, `{"l":{}}`, "error: l: changed from an array"},
		"string to object":        {`{"o":"s","x":1}`, `{"o":"s"}`, `{"o":{"n":1}}`, `{"o":{"n":1},"x":1}`},
		"written as another kind": {`{"o":{"n":1}}`, `{"o":"1"}`, `{"o":"2"}`, "error: o: changed from an object"},
		"number read from a text": {`{"port":"80","x":1}`, `{"port":80}`, `{"port":81}`, `{"port":81,"x":1}`},
		"a member that is twice":  {`{"l":[{"n":1}],"l":[{"n":2,"x":2}]}`, `{"l":[{"n":2}]}`, `{"l":[{"n":3},{"n":2}]}`, `{"l":[{"n":3},{"n":2}],"l":[{"n":3},{"n":2,"x":2}]}`},
		"renamed with nothing else": {
			`[{"name":"a","x":1}]`, `[{"name":"a"}]`, `[{"name":"b"}]`, "error: [0]",
		},
		"name and key both change":   {`[{"name":"a","key":"k","x":1}]`, `[{"name":"a","key":"k"}]`, `[{"name":"b","key":"l"}]`, "error: [0]"},
		"name changes, key stays":    {`[{"name":"a","key":"k","x":1}]`, `[{"name":"a","key":"k"}]`, `[{"name":"c"},{"name":"b","key":"k"}]`, `[{"name":"c"},{"name":"b","key":"k","x":1}]`},
		"names that are not strings": {`[{"name":1,"x":1}]`, `[{"name":1}]`, `[{"name":2},{"name":1}]`, `[{"name":2},{"name":1,"x":1}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Apply(c.value, c.before, c.after)
			if problem, wanted := strings.CutPrefix(string(c.want), "error: "); wanted {
				if err == nil || !strings.HasPrefix(err.Error(), problem) {
					t.Errorf("got %s, %v, want an error %q", got, err, problem)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

// The message is for the author of the plugin and says how to fix the problem.
func TestApply_message(t *testing.T) {
	t.Parallel()
	_, err := Apply(
		`{"spec":{"containers":[{"name":"a"},{"name":"b","image":"i","securityContext":{"user":1}}]}}`,
		`{"spec":{"containers":[{"name":"a"},{"name":"b","image":"i"}]}}`,
		`{"spec":{"containers":[{"name":"a"},{"name":"c","image":"j"}]}}`,
	)
	const want = `spec.containers[1]: the plugin's type has no field "securityContext" of it, and it cannot be told whether ` +
		`this element was removed or changed: give every element of the list a unique name or key; or change the object ` +
		`without a type (k1s.Object)`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
