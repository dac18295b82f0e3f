// SPDX-License-Identifier: Apache-2.0

package category

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// parents is a hierarchy: each existing Category's parent, "" for a root.
type parents map[string]string

func (p parents) lookup(name string) (string, bool, error) {
	parent, exists := p[name]
	return parent, exists, nil
}

func (p parents) children(name string) ([]string, error) {
	var names []string
	for child, parent := range p {
		if parent == name {
			names = append(names, child)
		}
	}
	slices.Sort(names)
	return names, nil
}

// chain is a hierarchy of n Categories, c0 at the bottom and the last one a root.
func chain(n int) parents {
	p := parents{}
	for i := range n - 1 {
		p[fmt.Sprintf("c%d", i)] = fmt.Sprintf("c%d", i+1)
	}
	p[fmt.Sprintf("c%d", n-1)] = ""
	return p
}

func TestCategory_evaluate(t *testing.T) {
	cycle30 := chain(30)
	cycle30["c29"] = "c0"
	cases := []struct {
		name, why   string
		parents     parents
		of          string
		wantReason  string
		wantMessage string
	}{
		{
			name: "root", why: "it has no parent",
			parents: parents{"a": ""}, of: "a",
			wantReason: "Root", wantMessage: "The category has no parent",
		},
		{
			name: "child", why: "its parent exists",
			parents: parents{"a": "", "b": "a"}, of: "b",
			wantReason: "ParentFound", wantMessage: "Every ancestor exists",
		},
		{
			name: "deep", why: "all of 500 ancestors exist",
			parents: chain(501), of: "c0",
			wantReason: "ParentFound", wantMessage: "Every ancestor exists",
		},
		{
			name: "parent missing", why: "the parent itself does not exist",
			parents: parents{"b": "a"}, of: "b",
			wantReason: "ParentNotFound", wantMessage: `Parent "a" does not exist`,
		},
		{
			name: "ancestor missing", why: "the gap is two levels further up",
			parents: parents{"d": "c", "c": "b", "b": "a"}, of: "d",
			wantReason: "ParentNotFound", wantMessage: `Ancestor "a" does not exist: d -> c -> b -> a`,
		},
		{
			name: "own parent", why: "the API rejects it, but it would be a cycle",
			parents: parents{"a": "a"}, of: "a",
			wantReason: "Cycle", wantMessage: "The category is its own ancestor: a -> a",
		},
		{
			name: "cycle of two", why: "each is above the other",
			parents: parents{"a": "b", "b": "a"}, of: "a",
			wantReason: "Cycle", wantMessage: "The category is its own ancestor: a -> b -> a",
		},
		{
			name: "cycle of two, the other", why: "every member is told, from where it stands",
			parents: parents{"a": "b", "b": "a"}, of: "b",
			wantReason: "Cycle", wantMessage: "The category is its own ancestor: b -> a -> b",
		},
		{
			name: "below a cycle", why: "it is not part of the cycle, but never reaches a root",
			parents: parents{"e": "d", "d": "a", "a": "b", "b": "c", "c": "a"}, of: "e",
			wantReason: "Cycle", wantMessage: "The ancestors form a cycle: e -> d -> a -> b -> c -> a",
		},
		{
			name: "long cycle", why: "the message stays readable",
			parents: cycle30, of: "c0",
			wantReason: "Cycle",
			wantMessage: "The category is its own ancestor: c0 -> c1 -> c2 -> c3 -> c4 -> c5 -> ... (19 more) ... -> " +
				"c25 -> c26 -> c27 -> c28 -> c29 -> c0",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := evaluate(c.of, c.parents[c.of], c.parents.lookup)
			if err != nil {
				t.Fatalf("judge: %v", err)
			}
			if got.reason != c.wantReason || got.message() != c.wantMessage {
				t.Errorf("%s: got %s, %q, want %s, %q", c.why, got.reason, got.message(), c.wantReason, c.wantMessage)
			}
			wantStatus := metav1.ConditionFalse
			if c.wantReason == "Root" || c.wantReason == "ParentFound" {
				wantStatus = metav1.ConditionTrue
			}
			condition := got.condition(7)
			if condition.Status != wantStatus || condition.Reason != c.wantReason || condition.ObservedGeneration != 7 {
				t.Errorf("condition: got %+v", condition)
			}
		})
	}
}

func TestCategory_evaluate_lookupFails(t *testing.T) {
	broken := errors.New("broken")
	_, err := evaluate("b", "a", func(string) (string, bool, error) { return "", false, broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v: an error must not look like a missing parent", err)
	}
}

func TestCategory_descendants(t *testing.T) {
	tree := parents{"root": "", "a": "root", "b": "root", "a1": "a", "a2": "a", "a11": "a1", "other": ""}
	cases := []struct {
		name, why string
		parents   parents
		of        string
		want      []string
	}{
		{"leaf", "nothing is below it", tree, "b", nil},
		{"inner", "all levels, nearest first", tree, "a", []string{"a1", "a2", "a11"}},
		{"root", "everything but the other tree", tree, "root", []string{"a", "b", "a1", "a2", "a11"}},
		{"missing", "those who wait for it", parents{"b": "a", "c": "b"}, "a", []string{"b", "c"}},
		{"cycle", "it ends, with all members", parents{"a": "c", "b": "a", "c": "b"}, "a", []string{"b", "c", "a"}},
		{"above a cycle", "no Category is listed twice", parents{"a": "b", "b": "a", "d": "a"}, "b", []string{"a", "b", "d"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := descendants(c.of, c.parents.children)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s: got %q, %v, want %q", c.why, got, err, c.want)
			}
		})
	}
}

func TestCategory_descendants_lookupFails(t *testing.T) {
	broken := errors.New("broken")
	if _, err := descendants("a", func(string) ([]string, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
