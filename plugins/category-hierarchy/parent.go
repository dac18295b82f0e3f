// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

const (
	// labelAutoCreated marks the categories that this plugin made.
	labelAutoCreated = "inventory.example.com/auto-created"
	// maxSpecName is how many characters spec.name may have.
	maxSpecName = 50
)

// createParent creates the parent of a category as a root, and says so in an Event on the category. It
// returns why if that was refused for good: trying again at once would not help.
func createParent(ctx context.Context, c *category) (refused string, err error) {
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
