// SPDX-License-Identifier: Apache-2.0

package k1stest_test

import (
	"strings"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestHost_list(t *testing.T) {
	host := k1stest.New(t)
	for name, labels := range map[string]string{
		"a": `{"app":"web","tier":"front"}`, "b": `{"app":"web","tier":"back"}`, "c": `{"app":"db"}`, "d": `{}`,
	} {
		host.Add(widget(t, k1s.Key{Namespace: "shop", Name: name}, `{"metadata":{"labels":`+labels+`}}`))
	}
	host.Add(widget(t, k1s.Key{Namespace: "other", Name: "e"}, ""), k1s.NewObject("v1", "Pod", a))
	for name, c := range map[string]struct {
		opts k1s.ListOptions
		want string
	}{
		"all namespaces":        {k1s.ListOptions{}, "e a b c d"},
		"one namespace":         {k1s.ListOptions{Namespace: "shop"}, "a b c d"},
		"equal":                 {k1s.ListOptions{LabelSelector: "app=web"}, "a b"},
		"equal twice":           {k1s.ListOptions{LabelSelector: "app==web, tier=back"}, "b"},
		"not equal":             {k1s.ListOptions{Namespace: "shop", LabelSelector: "app!=web"}, "c d"},
		"in":                    {k1s.ListOptions{LabelSelector: "app in (web, db),tier notin (back)"}, "a c"},
		"exists":                {k1s.ListOptions{LabelSelector: "tier"}, "a b"},
		"does not exist":        {k1s.ListOptions{Namespace: "shop", LabelSelector: "!tier"}, "c d"},
		"field":                 {k1s.ListOptions{FieldSelector: "metadata.name=b"}, "b"},
		"field that is another": {k1s.ListOptions{FieldSelector: "metadata.namespace!=shop"}, "e"},
	} {
		opts := c.opts
		opts.Type = widgets
		page, err := k1s.List[k1s.Object](ctx, opts)
		var names []string
		for _, o := range page.Items {
			names = append(names, o.GetName())
		}
		if got := strings.Join(names, " "); got != c.want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
	for name, opts := range map[string]k1s.ListOptions{
		"label selector": {LabelSelector: "a b c"},
		"field selector": {FieldSelector: "spec.size=1"},
	} {
		opts.Type = widgets
		if _, err := k1s.List[k1s.Object](ctx, opts); k1s.ReasonOf(err) != k1s.ReasonBadRequest {
			t.Errorf("unknown %s: %v", name, err)
		}
	}
}
