// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

const (
	// labelAutoCreated is the label of the categories that this plugin created.
	labelAutoCreated = "inventory.example.com/auto-created"
	// maxSpecName is the maximum length of spec.name in characters.
	maxSpecName = 50
)

// createParent creates the parent of a category as a root, and emits an Event about it on the category. If the API
// server rejected the parent as Forbidden or Invalid, so that an immediate retry would not help, rejected contains the
// reason.
func createParent(ctx context.Context, c *category) (rejected string, err error) {
	parent := &category{
		ObjectMeta: k1s.ObjectMeta{
			Namespace: c.Namespace,
			Name:      c.spec.parent,
			Labels:    map[string]string{labelAutoCreated: "true"},
		},
		spec: categorySpec{name: cut(c.spec.parent, maxSpecName)},
	}
	err = k1s.Create(ctx, parent)
	if k1s.IsForbidden(err) || k1s.IsInvalid(err) {
		return "it could not be created: " + err.Error(), nil
	}
	if err == nil {
		k1s.Event(c, k1s.Normal, "ParentCreated", `Parent category "`+c.spec.parent+`" was created`)
	}
	return "", err
}

// cut returns at most the first n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
