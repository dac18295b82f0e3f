// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestAll_goesThroughPages(t *testing.T) {
	host := k1stest.New(t)
	for _, name := range []string{"e", "b", "d", "a", "c"} {
		host.Add(widget(name, 1))
	}
	var names []string
	for w, err := range k1s.All[Widget](context.Background(), k1s.ListOptions{Namespace: "shop", Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, w.Name)
	}
	if want := []string{"a", "b", "c", "d", "e"}; !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
	if got := len(host.Calls()); got != 3 {
		t.Errorf("%d requests, want 3", got)
	}
}

func TestAll_stops(t *testing.T) {
	host := k1stest.New(t)
	host.Add(widget("a", 1), widget("b", 1), widget("c", 1))
	for _, err := range k1s.All[Widget](context.Background(), k1s.ListOptions{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if got := len(host.Calls()); got != 1 {
		t.Errorf("%d requests after leaving the loop at the first object", got)
	}

	seen, failed := 0, errors.New("no more")
	host.Intercept(func(c k1stest.Call) error {
		if _, more := c.Request.Get("continue"); more {
			return failed
		}
		return nil
	})
	var last error
	for w, err := range k1s.All[Widget](context.Background(), k1s.ListOptions{Limit: 1}) {
		if last = err; w != nil {
			seen++
		}
	}
	if seen != 1 || last == nil || last.Error() != failed.Error() {
		t.Errorf("%d objects and then %v, want 1 and the error", seen, last)
	}
}

func TestList_page(t *testing.T) {
	host := k1stest.New(t)
	host.Add(widget("a", 1), widget("b", 2))
	page, err := k1s.List[Widget](context.Background(), k1s.ListOptions{Limit: 1})
	if err != nil || len(page.Items) != 1 || page.Items[0].Name != "a" || page.Continue == "" || page.ResourceVersion == "" {
		t.Errorf("got %+v, %v", page, err)
	}
	host.Remove(widget("a", 0).TypeRef(), k1s.Key{Namespace: "shop", Name: "a"})
	page, err = k1s.List[Widget](context.Background(), k1s.ListOptions{Namespace: "elsewhere"})
	if err != nil || len(page.Items) != 0 || page.Continue != "" {
		t.Errorf("got %+v, %v", page, err)
	}
}

func TestMatchLabels(t *testing.T) {
	t.Parallel()
	if got := k1s.MatchLabels(map[string]string{"b": "2", "a": "1", "c": ""}); got != "a=1,b=2,c=" {
		t.Errorf("got %q", got)
	}
	if got := k1s.MatchLabels(nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}
