// SPDX-License-Identifier: Apache-2.0

package object

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/k1s-io/k1s/internal/testenv/table"
)

const item = `{"apiVersion":"v1","kind":"Item","metadata":{"name":"n","namespace":"s","uid":"u","resourceVersion":"1","finalizers":["f"],` +
	`"labels":{"a/b":"c"},"ownerReferences":[{"uid":"o"}]},"spec":{"big":9007199254740993,"tags":["a","b"],"name":"x"},"status":{"ready":true}}`

func TestReadDefaults_patch(t *testing.T) {
	for name, tt := range map[string]struct{ reply, want string }{
		"patch": {
			`[{"op":"add","path":"/spec/category","value":"tools"}]`,
			`[{"op":"add","path":"/spec/category","value":"tools"}]`,
		},
		"patch that changes nothing": {`[{"op":"replace","path":"/spec/name","value":"x"}]`, ``},
		"empty patch":                {`[]`, ``},
		"moved away and back":        {`[{"op":"move","from":"/status","path":"/x"},{"op":"move","from":"/x","path":"/status"}]`, ``},
		"the same object":            {item, ``},
		"with empty members":         {strings.Replace(item, `"uid":"u"`, `"uid":"u","creationTimestamp":null,"managedFields":[],"selfLink":""`, 1), ``},
		"large number":               {strings.Replace(item, `740993`, `740992`, 1), `[{"op":"replace","path":"/spec/big","value":9007199254740992}]`},
		"same number":                {strings.Replace(item, `"b"]`, `"b"],"n":1`, 1), `[{"op":"add","path":"/spec/n","value":1}]`},
		"element":                    {strings.Replace(item, `"b"]`, `"c"]`, 1), `[{"op":"replace","path":"/spec/tags/1","value":"c"}]`},
		"appended":                   {strings.Replace(item, `"b"]`, `"b","c"]`, 1), `[{"op":"add","path":"/spec/tags/-","value":"c"}]`},
		"shorter array":              {strings.Replace(item, `["a","b"]`, `["b"]`, 1), `[{"op":"replace","path":"/spec/tags","value":["b"]}]`},
		"escaped label":              {strings.Replace(item, `"a/b":"c"`, `"a/b":"d","x~y":"z"`, 1), `[{"op":"replace","path":"/metadata/labels/a~1b","value":"d"},{"op":"add","path":"/metadata/labels/x~0y","value":"z"}]`},
		"removed":                    {`[{"op":"remove","path":"/spec/name"}]`, `[{"op":"remove","path":"/spec/name"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ReadDefaults([]byte(item), []byte(tt.reply))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(d.Patch)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

type invalidCase struct {
	Name, WantErr string
	Reply         table.JSON
}

func TestReadDefaults_invalid(t *testing.T) {
	set := func(path string) string { return fmt.Sprintf(`[{"op":"add","path":%q,"value":"zz"}]`, path) }
	cases := table.Read[invalidCase](t, "invalid.yaml")
	for name, tt := range map[string]struct{ reply, wantErr string }{
		"no name":         {strings.Replace(item, `"spec":{`, `"":1,"spec":{`, 1), `whose name is ""`},
		"many operations": {`[` + strings.Repeat(set("/spec/a")[1:len(set("/spec/a"))-1]+",", maxOperations) + set("/spec/a")[1:], `1001 operations`},
		"many values":     {`[{"op":"add","path":"/spec/x","value":[` + strings.Repeat("{},", maxValues) + `{}]}]`, `250000 JSON values`},
		"much work":       {inserting(), `reply with the whole object`},
		"copies":          {doubling(), `does not apply`},
		"many changes":    {many(), `more than 1000 operations`},
		"large":           {`[{"op":"add","path":"/spec/x","value":"` + strings.Repeat("x", maxDefaulted) + `"}]`, `more than the`},
	} {
		cases = append(cases, invalidCase{name, tt.wantErr, table.JSON(tt.reply)})
	}
	for _, tt := range cases {
		t.Run(tt.Name, func(t *testing.T) {
			_, err := ReadDefaults([]byte(item), []byte(tt.Reply))
			if err == nil || !strings.Contains(err.Error(), tt.WantErr) {
				t.Errorf("error %q does not say %q", err, tt.WantErr)
			}
		})
	}
}

// many returns an object with more new fields than a patch may have operations.
func many() string {
	members := make([]string, maxOperations+1)
	for i := range members {
		members[i] = fmt.Sprintf(`"m%d":1`, i)
	}
	return strings.Replace(item, `"spec":{`, `"spec":{`+strings.Join(members, ",")+",", 1)
}

// doubling returns a patch with which the object doubles in size with each operation.
func doubling() string {
	operations := make([]string, 40)
	for i := range operations {
		operations[i] = fmt.Sprintf(`{"op":"copy","from":"/spec","path":"/spec/x%d"}`, i)
	}
	return "[" + strings.Join(operations, ",") + "]"
}

// inserting returns a patch that moves a long array with each operation.
func inserting() string {
	return `[{"op":"add","path":"/spec/x","value":[` + strings.Repeat(`"0123456789abcdef",`, 1<<17) + `0]}` + strings.Repeat(`,{"op":"add","path":"/spec/x/0","value":0}`, 100) + `]`
}

// The size of the patch stays in proportion if all changes are deeply nested.
func TestReadDefaults_deep(t *testing.T) {
	const depth = 2 * maxParts / maxOperations
	nested := func(value int) []byte {
		members := make([]string, maxOperations)
		for i := range members {
			members[i] = fmt.Sprintf(`"m%d":%d`, i, value)
		}
		inside := strings.Repeat(`{"a":`, depth) + "{" + strings.Join(members, ",") + "}" + strings.Repeat("}", depth)
		return []byte(strings.Replace(item, `"spec":{`, `"spec":{"x":`+inside+`,`, 1))
	}
	if _, err := ReadDefaults(nested(1), nested(2)); !errors.Is(err, errManyChanges) {
		t.Errorf("got %v", err)
	}
}

func TestDefaults_Fields(t *testing.T) {
	reply := `[{"op":"add","path":"/spec/category","value":"t"},{"op":"add","path":"/spec/tags/-","value":"c"},{"op":"replace","path":"/spec/tags/0","value":"d"},` +
		`{"op":"add","path":"/metadata/labels/` + strings.Repeat("l", 200) + `","value":"v"},{"op":"add","path":"/metadata/labels/a~1b","value":"v"}]`
	d, err := ReadDefaults([]byte(item), []byte(reply))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"metadata.labels.a/b", "spec.tags", "spec.category"}, d.Fields()); diff != "" {
		t.Error(diff)
	}
}

// FuzzReadDefaults checks that, whatever a guest replies, the patch results in the object that the guest wants, and
// does not change fields that it must not change.
func FuzzReadDefaults(f *testing.F) {
	for _, reply := range []string{
		``, ` `, `{}`, `[]`, item, `[{"op":"add","path":"/spec/tags/1","value":{"a":[1,2.5e3,null]}}]`,
		`[{"op":"copy","from":"/spec","path":"/spec/tags/0"}]`, `[{"op":"move","from":"/spec/tags/0","path":"/spec/tags/-"}]`,
		`[{"op":"test","path":"","value":{}}]`, `[{"op":"remove","path":"/spec/tags/-1"}]`, `[{}]`, `[{"op":"add"}]`, `[null]`,
		strings.Replace(item, `"tags":["a","b"]`, `"tags":{"":{"~/":[[]]}}`, 1),
	} {
		f.Add([]byte(item), []byte(reply))
	}
	f.Fuzz(func(t *testing.T, object, reply []byte) {
		if !json.Valid(object) || !json.Valid(reply) { // the API server and the ABI ensure that
			return
		}
		d, err := ReadDefaults(object, reply)
		if err != nil {
			return
		}
		d.Fields()
		was, err := decodeObject(object)
		if err != nil {
			t.Fatalf("%s was taken for an object", object)
		}
		is := d.Object
		if len(d.Patch) > 0 {
			patch, err := jsonpatch.DecodePatch(d.Patch)
			if err != nil {
				t.Fatalf("the patch %s: %v", d.Patch, err)
			}
			after, err := patch.Apply(object)
			if err != nil {
				t.Fatalf("the patch %s of %s: %v", d.Patch, object, err)
			}
			if is, err = decodeObject(after); err != nil {
				t.Fatal(err)
			}
		}
		if !equal(is, d.Object) {
			t.Errorf("%s and %s: the patch %s leads to %v instead of %v", object, reply, d.Patch, is, d.Object)
		}
		for _, name := range []string{"apiVersion", "kind", "status"} {
			if !equal(was[name], is[name]) {
				t.Errorf("%s was changed by %s", name, d.Patch)
			}
		}
	})
}
