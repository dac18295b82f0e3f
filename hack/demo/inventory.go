// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"path/filepath"
	"strings"
)

func (d *demo) sample(name string) string {
	return filepath.Join(d.root, "config", "samples", name)
}

func (d *demo) applyInventory(ctx context.Context) error {
	for _, sample := range []string{"inventory_v1alpha1_category.yaml", "inventory_v1alpha1_item.yaml"} {
		out, err := d.kube(ctx, "", "apply", "--server-side", "-f", d.sample(sample))
		if err != nil {
			return err
		}
		d.report.command("kubectl apply --server-side -f config/samples/"+sample, out)
	}
	return nil
}

// checkInventory compares the statuses that the embedded controllers wrote with the samples.
func (d *demo) checkInventory(ctx context.Context) error {
	for _, check := range []struct{ what, want, object, field string }{
		{"laptop-14 is", "Available", "item/laptop-14", "{.status.availability}"},
		{"laptop-16 is", "OutOfStock", "item/laptop-16", "{.status.availability}"},
		{"headphones are", "Reserved", "item/headphones", "{.status.availability}"},
		{"cassette-recorder is", "Discontinued", "item/cassette-recorder", "{.status.availability}"},
		{"items in category laptops", "2", "category/laptops", "{.status.itemCount}"},
		{"subcategories of electronics", "2", "category/electronics", "{.status.subcategoryCount}"},
	} {
		if err := d.expect(ctx, check.what, check.want, "get", check.object, "-o", "jsonpath="+check.field); err != nil {
			return err
		}
	}
	if _, err := d.kube(ctx, "", "patch", "item", "laptop-16", "--type=merge", "-p", `{"spec":{"category":"audio","quantity":4}}`); err != nil {
		return err
	}
	d.report.note("laptop-16 moves to category audio, and four pieces come in")
	for _, check := range []struct{ what, want, object, field string }{
		{"laptop-16 is", "Available", "item/laptop-16", "{.status.availability}"},
		{"items in category laptops", "1", "category/laptops", "{.status.itemCount}"},
		{"items in category audio", "3", "category/audio", "{.status.itemCount}"},
	} {
		if err := d.expect(ctx, check.what, check.want, "get", check.object, "-o", "jsonpath="+check.field); err != nil {
			return err
		}
	}
	if err := d.show(ctx, "get", "items"); err != nil {
		return err
	}
	return d.show(ctx, "get", "categories")
}

// containsAll reports whether a text contains all parts.
func containsAll(text string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}
