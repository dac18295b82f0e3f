// SPDX-License-Identifier: Apache-2.0

package plugin

import "time"

// The ways in which an instance is created.
const (
	// InstantiatedFresh marks an instance whose guest ran its own initialization.
	InstantiatedFresh = "fresh"
	// InstantiatedImage marks an instance that started as a copy of an initialized memory image.
	InstantiatedImage = "image"
)

// EngineMetrics receives the measurements that only the engine can make. It is safe for concurrent use and never
// blocks. A plugin is named "namespace/name".
type EngineMetrics interface {
	// Fuel adds the instructions that one call executed.
	Fuel(plugin, export string, instructions uint64)
	// Instances adds to the number of live instances.
	Instances(plugin string, delta int)
	// Memory adds to the committed linear memory.
	Memory(plugin string, deltaBytes int64)
	// Instantiated observes the creation of one instance. The argument how is InstantiatedFresh or InstantiatedImage.
	Instantiated(plugin, how string, d time.Duration)
	// Compiled observes a compilation, or the loading of its cached result.
	Compiled(d time.Duration, cached bool)
}

// NoEngineMetrics is an EngineMetrics that discards everything.
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
