// SPDX-License-Identifier: Apache-2.0

// Command category-hierarchy implements a k1s plugin that computes the place of every Category in its hierarchy: it
// writes status.depth, status.path and the condition DepthWithinLimit.
//
// # What a category depends on
//
// Depth and path depend only on the spec.parent of the category and of all its ancestors, and not on any status. A
// category's own reconcile can therefore always compute them by walking up.
//
// A change of an ancestor does not trigger a reconcile of its descendants, however. Therefore, if a reconcile finds
// that the status of its category changes, or that the category was deleted, it first recomputes all descendants and
// writes those that differ, and writes the category's own status last. This order makes retries complete: as long as a
// descendant is not written, the category's own status is still the old one, and the next attempt visits all
// descendants again.
//
// Two categories that change at the same time may write the same descendant in either order. The write triggers a
// reconcile of the descendant, which reads the newer state of both and writes the final status. Moving a category takes
// one list of its namespace from the operator's cache, and one write for each descendant. A reconcile that finds
// nothing to change neither writes nor lists.
//
// # Settings
//
//   - max_depth (integer, at least 1, default 10): the maximum depth of a category. A root has depth 0.
//   - auto_create_parents (boolean, default false): whether a parent that does not exist is created.
package main

import (
	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// version is set at build time with -ldflags "-X main.version=v1.1.0".
var version = "v1.0.0"

func init() { k1s.Register(plugin(new(settings))) }

// plugin returns the plugin of this module. It decodes its settings into s.
func plugin(s *settings) k1s.Plugin {
	return k1s.Plugin{
		Name:         "category-hierarchy",
		Version:      version,
		Author:       "The k1s authors",
		Description:  "Places every Category in its hierarchy: depth, path, and a limit of the depth.",
		Reconcilers:  []k1s.Handler{k1s.For(&reconciler{settings: s})},
		Capabilities: []k1s.Capability{k1s.CapabilityStatusUpdate},
		Settings:     s,
		ConfigSchema: settingsSchema,
	}
}

func main() {}
