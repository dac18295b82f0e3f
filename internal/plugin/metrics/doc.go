// SPDX-License-Identifier: Apache-2.0

// Package metrics implements the Prometheus metrics of plugins. The table in families.go lists them, and
// docs/metrics.md is generated from it.
//
// A plugin has series only between Begin and Forget: what the engine or a call reports about a plugin at other times is
// dropped, so that the series of a deleted plugin do not come back. Exports that are not part of the ABI are counted
// together. The number of series of one plugin is therefore limited, whatever its module does. A call finds its series
// through a pointer, without looking up labels.
package metrics
