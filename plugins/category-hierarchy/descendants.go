// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// maxWrites is the maximum number of descendants that one call writes, so that a call stays far below the plugin's
// timeout. The next call continues where this one stopped.
const maxWrites = 100

// placeDescendants computes the places of a category's descendants and writes the statuses that differ. The function
// childPlace returns the place of a child of the category. It reports whether all descendants are done.
func (r *reconciler) placeDescendants(
	ctx context.Context, key k1s.Key, childPlace func(child string) place,
) (done bool, err error) {
	all, err := k1s.List[category](ctx, k1s.ListOptions{Namespace: key.Namespace})
	if err != nil {
		return false, err
	}
	moved := r.moved(all.Items, key.Name, childPlace)
	// Write from the bottom up, for the same reason for which the category itself is written last: if the status of a
	// category is correct, none of its descendants remains to be written.
	for i := len(moved) - 1; i >= 0; i-- {
		if len(moved)-1-i == maxWrites {
			return false, nil
		}
		if err := write(ctx, moved[i].category, moved[i].status); err != nil {
			return false, err
		}
	}
	return true, nil
}

// move is a category and the status that it should have.
type move struct {
	category *category
	status   categoryStatus
}

// moved returns the descendants of a category whose status differs from the desired one, parents before their children.
func (r *reconciler) moved(all []category, name string, childPlace func(child string) place) []move {
	children := make(map[string][]*category)
	for i := range all {
		if parent := all[i].spec.parent; parent != "" {
			children[parent] = append(children[parent], &all[i])
		}
	}
	type node struct {
		category *category
		place    place
	}
	var queue []node
	for _, c := range children[name] {
		queue = append(queue, node{c, childPlace(c.Name)})
	}
	var found []move
	for i := 0; i < len(queue); i++ {
		c, p := queue[i].category, queue[i].place
		if c.Name == name {
			continue // a cycle: here it began
		}
		if status, changed := p.status(c.status, r.settings.maxDepth); changed {
			found = append(found, move{c, status})
		}
		for _, below := range children[c.Name] {
			queue = append(queue, node{below, p.child(below.Name)})
		}
	}
	return found
}
