// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"strings"
	"testing"
)

func TestForbiddenChange(t *testing.T) {
	t.Parallel()
	const before = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"a":"b"},"finalizers":["f"]},"spec":{},"status":{"a":1}}`
	for name, c := range map[string]struct{ old, new, want string }{
		"nothing":      {"", "", ""},
		"the spec":     {`"spec":{}`, `"spec":{"a":1}`, ""},
		"a label":      {`"a":"b"`, `"a":"c"`, ""},
		"annotations":  {`"finalizers"`, `"annotations":{},"finalizers"`, ""},
		"kind":         {"Pod", "Node", "kind"},
		"version":      {`"v1"`, `"v2"`, "apiVersion"},
		"status":       {`"a":1`, `"a":2`, "status"},
		"name":         {`"name":"a"`, `"name":"b"`, "metadata"},
		"a finalizer":  {`["f"]`, `[]`, "metadata"},
		"a namespace":  {`"name":"a"`, `"name":"a","namespace":"b"`, "metadata"},
		"is no object": {before, `[]`, "cannot unmarshal"},
	} {
		after := before
		if c.old != "" {
			after = strings.Replace(before, c.old, c.new, 1)
		}
		if got := forbiddenChange(before, after); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
