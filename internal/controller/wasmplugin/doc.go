// SPDX-License-Identifier: Apache-2.0

// Package wasmplugin implements the controller of WasmPlugins: it loads, replaces and unloads plugins.
//
// A reconcile runs in phases, each a struct with its own dependencies in a file of its own, which share a load (load.go):
//
//   - follow and evaluate look at the serving revision: how its kinds are served, and whether its calls fail.
//   - limit, fetch, verify, identify, configure, authorize and compile prepare the wanted revision. They have no effect
//     on the cluster. Each sets its condition, and determines how the plugin recovers if it fails (problem.go).
//   - claim and swap make a revision the serving one, in the order that survives a crash: claim records in the cluster
//     what the revision may leave there. The previous revision serves until the swap, and again after a rollback.
//   - publish is the last phase, whatever the others did: watches, webhook configurations and finalizers.
//
// Revisions (revisions.go) owns the state of the serving revisions, plan is pure, and summarize (summary.go) only sets
// conditions.
package wasmplugin
