// SPDX-License-Identifier: Apache-2.0

// Command category-hierarchy is a k1s plugin that places every Category in its hierarchy: it writes
// status.depth, status.path and the condition DepthWithinLimit.
//
// # What a category depends on
//
// Depth and path follow from the spec.parent of the category and of all its ancestors, and from nothing
// that is stored in a status. So a category's own reconcile can always compute them: it walks up.
//
// But a change of an ancestor is no event for its descendants. So whoever finds that its own status
// changes, or that it is gone, first recomputes all its descendants and writes those that differ, and
// writes its own status last. That order is what makes a retry complete: as long as a descendant is left
// over, the category's own status is still the old one, and the next try goes through them all again.
//
// Two categories that change at the same time may write the same descendant in either order. That write
// is an event for the descendant, whose own reconcile then looks at the newer state of both and has the
// last word. Moving a category thus takes one list of its namespace from the operator's cache, and a
// write for each descendant; a reconcile that finds everything right writes nothing and lists nothing.
//
// # Settings
//
//   - max_depth (integer, at least 1, default 10): how deep a category may be; a root has depth 0.
//   - auto_create_parents (boolean, default false): whether a parent that does not exist is created.
package main

import (
	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// version is set at build time with -ldflags "-X main.version=v1.1.0".
var version = "v1.0.0"

func init() { k1s.Register(plugin(new(settings))) }

// plugin returns what this module is; it reads its settings into s.
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
