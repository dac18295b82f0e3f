// SPDX-License-Identifier: Apache-2.0

package plugin

import "time"

// How an instance was made.
const (
	// InstantiatedFresh is an instance whose guest ran its own initialization.
	InstantiatedFresh = "fresh"
	// InstantiatedImage is an instance that began as a copy of an initialized memory.
	InstantiatedImage = "image"
)

// EngineMetrics gets what only the engine sees. It is safe for concurrent use and never blocks.
// A plugin is named "namespace/name".
type EngineMetrics interface {
	// Fuel adds the instructions that one call used.
	Fuel(plugin, export string, instructions uint64)
	// Instances adds to the number of instances that live.
	Instances(plugin string, delta int)
	// Memory adds to the linear memory that is committed.
	Memory(plugin string, deltaBytes int64)
	// Instantiated observes the making of one instance: how is InstantiatedFresh or InstantiatedImage.
	Instantiated(plugin, how string, d time.Duration)
	// Compiled observes a compilation, or the reading of its cached result.
	Compiled(d time.Duration, cached bool)
}

// NoEngineMetrics is an EngineMetrics that forgets everything.
type NoEngineMetrics struct{}

var _ EngineMetrics = NoEngineMetrics{}

// Fuel does nothing.
func (NoEngineMetrics) Fuel(string, string, uint64) {}

// Instances does nothing.
func (NoEngineMetrics) Instances(string, int) {}

// Memory does nothing.
func (NoEngineMetrics) Memory(string, int64) {}

// Instantiated does nothing.
func (NoEngineMetrics) Instantiated(string, string, time.Duration) {}

// Compiled does nothing.
func (NoEngineMetrics) Compiled(time.Duration, bool) {}
