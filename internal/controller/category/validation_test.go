// SPDX-License-Identifier: Apache-2.0

package category

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestCategory_validation checks the bounds of every field with the API server.
func TestCategory_validation(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	tags := func(n int) []string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("tag-%d", i)
		}
		return all
	}
	cases := []struct {
		name, why string
		change    func(*inventoryv1alpha1.Category)
		wantError string // a part of it; empty: valid
	}{
		{"plain", "a name is enough", func(*inventoryv1alpha1.Category) {}, ""},
		{"no name", "people need something to call it", func(c *inventoryv1alpha1.Category) { c.Spec.Name, c.Spec.Description = "", "d" }, "spec.name"},
		{"name longest", "50 is in", func(c *inventoryv1alpha1.Category) { c.Spec.Name = strings.Repeat("n", 50) }, ""},
		{"name too long", "51 is out", func(c *inventoryv1alpha1.Category) { c.Spec.Name = strings.Repeat("n", 51) }, "spec.name"},
		{"description longest", "200 is in", func(c *inventoryv1alpha1.Category) { c.Spec.Description = strings.Repeat("d", 200) }, ""},
		{"description too long", "201 is out", func(c *inventoryv1alpha1.Category) { c.Spec.Description = strings.Repeat("d", 201) }, "spec.description"},
		{"parent missing", "it may come later", func(c *inventoryv1alpha1.Category) { c.Spec.Parent = "nowhere" }, ""},
		{"parent longest", "253 is what a name may have", func(c *inventoryv1alpha1.Category) { c.Spec.Parent = strings.Repeat("p", 253) }, ""},
		{"parent too long", "no object has such a name", func(c *inventoryv1alpha1.Category) { c.Spec.Parent = strings.Repeat("p", 254) }, "spec.parent"},
		{"parent itself", "the shortest cycle", func(c *inventoryv1alpha1.Category) { c.Spec.Parent = c.Name }, "a category cannot be its own parent"},
		{"tags most", "20 are in", func(c *inventoryv1alpha1.Category) { c.Spec.Tags = tags(20) }, ""},
		{"tags too many", "21 are out", func(c *inventoryv1alpha1.Category) { c.Spec.Tags = tags(21) }, "spec.tags"},
		{"tag twice", "it is a set", func(c *inventoryv1alpha1.Category) { c.Spec.Tags = []string{"a", "a"} }, "spec.tags"},
		{"tag empty", "it says nothing", func(c *inventoryv1alpha1.Category) { c.Spec.Tags = []string{""} }, "spec.tags"},
		{"tag longest", "63 is in", func(c *inventoryv1alpha1.Category) { c.Spec.Tags = []string{strings.Repeat("t", 63)} }, ""},
		{"tag too long", "64 is out", func(c *inventoryv1alpha1.Category) { c.Spec.Tags = []string{strings.Repeat("t", 64)} }, "spec.tags"},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			category := newCategory(namespace, fmt.Sprintf("category-%d", i), "")
			c.change(category)
			err := env.Client.Create(t.Context(), category)
			if c.wantError == "" && err != nil {
				t.Errorf("%s: got %v", c.why, err)
			}
			if c.wantError != "" && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), c.wantError)) {
				t.Errorf("%s: got %v, want it rejected for %q", c.why, err, c.wantError)
			}
		})
	}
}

// TestCategory_validation_update shows that the rule also applies to updates of a Category.
func TestCategory_validation_update(t *testing.T) {
	env := testenv.Shared(t)
	category := newCategory(env.Namespace(t), "tools", "")
	env.Create(t, category)
	category.Spec.Parent = "tools"
	if err := env.Client.Update(t.Context(), category); !apierrors.IsInvalid(err) {
		t.Errorf("a Category became its own parent: %v", err)
	}
}
