// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// status returns the status for a place, with the fields that the plugin owns, and whether it differs from the old one.
func (p place) status(old categoryStatus, maxDepth int64) (wanted categoryStatus, changed bool) {
	if p.reason == "" {
		wanted.depth, wanted.path = &p.depth, p.path
	}
	// The new condition keeps the transition time of the existing one if the status is the same.
	if c := k1s.FindCondition(old.conditions, conditionType); c != nil {
		wanted.conditions = append(wanted.conditions, *c)
	}
	changed = k1s.SetCondition(&wanted.conditions, p.condition(maxDepth))
	return wanted, changed || wanted.path != old.path || !equal(wanted.depth, old.depth)
}

func equal(a, b *int32) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// write applies the fields of a category's status that the plugin owns. Fields that it omits are removed, because the
// plugin applied them before. All other fields belong to the Category controller and are left alone.
//
// It emits an Event when a category becomes too deep.
func write(ctx context.Context, c *category, status categoryStatus) error {
	applied := &category{ObjectMeta: k1s.ObjectMeta{Namespace: c.Namespace, Name: c.Name}, status: status}
	err := k1s.ApplyStatus(ctx, applied, k1s.ApplyOptions{Force: true})
	if k1s.IsNotFound(err) {
		return nil // deleted in the meantime
	}
	if err != nil {
		return err
	}
	now := k1s.FindCondition(status.conditions, conditionType)
	before := k1s.FindCondition(c.status.conditions, conditionType)
	if now.Reason == reasonTooDeep && (before == nil || before.Reason != reasonTooDeep) {
		k1s.Event(c, k1s.Warning, reasonTooDeep, now.Message)
	}
	return nil
}
