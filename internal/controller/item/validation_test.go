// SPDX-License-Identifier: Apache-2.0

package item

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestItem_validation checks the bounds of every field with the API server.
func TestItem_validation(t *testing.T) {
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
		change    func(*inventoryv1alpha1.ItemSpec)
		wantError string // a part of it; empty: valid
	}{
		{"plain", "a name is enough", func(*inventoryv1alpha1.ItemSpec) {}, ""},
		{"no name", "people need something to call it", func(s *inventoryv1alpha1.ItemSpec) { s.Name, s.Description = "", "d" }, "spec.name"},
		{"name longest", "100 is in", func(s *inventoryv1alpha1.ItemSpec) { s.Name = strings.Repeat("n", 100) }, ""},
		{"name longest, in characters", "the bound is not in bytes", func(s *inventoryv1alpha1.ItemSpec) { s.Name = strings.Repeat("ü", 100) }, ""},
		{"name too long", "101 is out", func(s *inventoryv1alpha1.ItemSpec) { s.Name = strings.Repeat("n", 101) }, "spec.name"},
		{"description longest", "500 is in", func(s *inventoryv1alpha1.ItemSpec) { s.Description = strings.Repeat("d", 500) }, ""},
		{"description too long", "501 is out", func(s *inventoryv1alpha1.ItemSpec) { s.Description = strings.Repeat("d", 501) }, "spec.description"},
		{"quantity none", "0 is in", func(s *inventoryv1alpha1.ItemSpec) { s.Quantity = new(int32(0)) }, ""},
		{"quantity negative", "no such stock", func(s *inventoryv1alpha1.ItemSpec) { s.Quantity = new(int32(-1)) }, "spec.quantity"},
		{"quantity most", "10000 is in", func(s *inventoryv1alpha1.ItemSpec) { s.Quantity = new(int32(10000)) }, ""},
		{"quantity too much", "10001 is out", func(s *inventoryv1alpha1.ItemSpec) { s.Quantity = new(int32(10001)) }, "spec.quantity"},
		{"price least", "1 cent is in", func(s *inventoryv1alpha1.ItemSpec) { s.Price = new(int64(1)) }, ""},
		{"price nothing", "no price is absence, not 0", func(s *inventoryv1alpha1.ItemSpec) { s.Price = new(int64(0)) }, "spec.price"},
		{"price negative", "nobody is paid for taking it", func(s *inventoryv1alpha1.ItemSpec) { s.Price = new(int64(-1)) }, "spec.price"},
		{"price beyond 32 bits", "cents add up", func(s *inventoryv1alpha1.ItemSpec) { s.Price = new(int64(1 << 40)) }, ""},
		{"category longest", "253 is what a name may have", func(s *inventoryv1alpha1.ItemSpec) { s.Category = strings.Repeat("c", 253) }, ""},
		{"category too long", "no object has such a name", func(s *inventoryv1alpha1.ItemSpec) { s.Category = strings.Repeat("c", 254) }, "spec.category"},
		{"tags most", "20 are in", func(s *inventoryv1alpha1.ItemSpec) { s.Tags = tags(20) }, ""},
		{"tags too many", "21 are out", func(s *inventoryv1alpha1.ItemSpec) { s.Tags = tags(21) }, "spec.tags"},
		{"tag twice", "it is a set", func(s *inventoryv1alpha1.ItemSpec) { s.Tags = []string{"a", "a"} }, "spec.tags"},
		{"tag empty", "it says nothing", func(s *inventoryv1alpha1.ItemSpec) { s.Tags = []string{""} }, "spec.tags"},
		{"tag longest", "63 is in", func(s *inventoryv1alpha1.ItemSpec) { s.Tags = []string{strings.Repeat("t", 63)} }, ""},
		{"tag too long", "64 is out", func(s *inventoryv1alpha1.ItemSpec) { s.Tags = []string{strings.Repeat("t", 64)} }, "spec.tags"},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := env.Client.Create(t.Context(), newItem(namespace, fmt.Sprintf("item-%d", i), c.change))
			if c.wantError == "" && err != nil {
				t.Errorf("%s: got %v", c.why, err)
			}
			if c.wantError != "" && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), c.wantError)) {
				t.Errorf("%s: got %v, want it rejected for %s", c.why, err, c.wantError)
			}
		})
	}
}

func TestItem_defaults(t *testing.T) {
	env := testenv.Shared(t)
	item := newItem(env.Namespace(t), "plain")
	env.Create(t, item)
	if item.Spec.Quantity == nil || *item.Spec.Quantity != 1 {
		t.Errorf("quantity: got %v, want 1", item.Spec.Quantity)
	}
	if item.Spec.Price != nil || item.Spec.Category != "" {
		t.Errorf("nothing else is to be filled in: %+v", item.Spec)
	}
}
