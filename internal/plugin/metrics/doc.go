// SPDX-License-Identifier: Apache-2.0

// Package metrics measures plugins for Prometheus. What there is, is the table in families.go, from which
// docs/metrics.md is generated.
//
// A plugin has series from Begin to Forget, and from nowhere else: what the engine or a call tells of a
// plugin outside of that is dropped, so that the series of a deleted plugin do not come back. Exports
// that are not the ABI's are counted together. With that the number of series of one plugin is bounded
// whatever its module does. A call finds its series by pointer, without looking labels up.
package metrics
