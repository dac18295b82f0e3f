// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"fmt"
	"slices"
)

// listKeys maps the lists that are merged by element to the member that identifies their elements. An empty key means a
// set, whose elements identify themselves.
var listKeys = map[string]string{
	"conditions":      "type",
	"ownerReferences": "uid",
	"finalizers":      "",
}

// list merges wanted elements into the live list.
func (a *applier) list(key string, live, before, wanted []any, path string) []any {
	for _, old := range before {
		name := elementName(old, key)
		if elementOf(wanted, key, name) < 0 {
			live = slices.DeleteFunc(live, func(v any) bool { return elementName(v, key) == name })
		}
	}
	for _, element := range wanted {
		name := elementName(element, key)
		i := elementOf(live, key, name)
		if i < 0 {
			live = append(live, element)
			continue
		}
		var earlier any
		if j := elementOf(before, key, name); j >= 0 {
			earlier = before[j]
		}
		live[i] = a.value("", live[i], earlier, element, path+"["+name+"]")
	}
	return live
}

// elementOf returns the index of an element, or -1.
func elementOf(list []any, key, name string) int {
	return slices.IndexFunc(list, func(v any) bool { return elementName(v, key) == name })
}

func elementName(v any, key string) string {
	if o, ok := v.(object); ok && key != "" {
		return text(o, key)
	}
	return fmt.Sprint(v)
}
