// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"strconv"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// The lists and maps are so long that comparing all pairs of elements would take too much time.
func TestApply_long(t *testing.T) {
	t.Parallel()
	const n = 20_000
	join := func(element func(i int) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = element(i)
		}
		return strings.Join(all, ",")
	}
	list := func(element func(i int) string) string { return "[" + join(element) + "]" }
	numbered := func(i int) string { return `{"n":` + strconv.Itoa(i) + `,"x":1}` }
	named := func(i int) string { return `{"name":"` + strconv.Itoa(i) + `","x":1}` }
	alike := func(int) string { return `{"n":1,"x":1}` }
	for name, c := range map[string]struct {
		object string
		// edit returns after, given before.
		edit func(before string) string
		want int
	}{
		"all move":                     {list(numbered), func(b string) string { return `[{"m":1},` + b[1:] }, n},
		"all are alike and move":       {list(alike), func(b string) string { return `[{"m":1},` + b[1:] }, n},
		"all are alike, one is gone":   {list(alike), func(b string) string { return "[" + b[len(`[{"n":1},`):] }, n - 1},
		"all are named and changed":    {list(named), func(b string) string { return `[{"m":1},` + strings.ReplaceAll(b[1:], `"}`, `","m":1}`) }, n},
		"all have no name and changed": {list(numbered), func(b string) string { return strings.ReplaceAll(b, `}`, `,"m":1}`) }, n},
		"all are of one name": {
			list(func(int) string { return `{"name":"a","x":1}` }), func(b string) string { return strings.ReplaceAll(b, `}`, `,"m":1}`) }, n,
		},
		"all are sorted by the type": {
			list(func(i int) string { return named(n - 1 - i) }),
			func(string) string {
				return `[{"name":"m"},` + list(func(i int) string { return `{"name":"` + strconv.Itoa(i) + `"}` })[1:]
			}, n,
		},
		"a map": {
			"{" + join(func(i int) string { return `"` + strconv.Itoa(i) + `":` + alike(i) }) + "}",
			func(b string) string { return `{"m":1,` + b[1:] }, n,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := strings.ReplaceAll(c.object, `,"x":1`, "")
			if name == "all are sorted by the type" {
				before = list(func(i int) string { return `{"name":"` + strconv.Itoa(i) + `"}` })
			}
			after := c.edit(before)
			got, err := Apply(json.Raw(c.object), json.Raw(before), json.Raw(after))
			if err != nil {
				t.Fatal(err)
			}
			if kept := strings.Count(string(got), `"x":1`); kept != c.want {
				t.Errorf("%d elements have kept their field, want %d", kept, c.want)
			}
			if typed := strings.ReplaceAll(string(got), `,"x":1`, ""); name != "a map" && len(typed) != len(after) {
				t.Errorf("the type would not read what it wrote: %.200s", typed)
			}
		})
	}
}
