// SPDX-License-Identifier: Apache-2.0

// Package plugin implements the domain model of plugins: what a plugin is (Module, Metadata, Capability), how a
// revision runs (Runner, which the engine implements and decorators wrap), how one revision replaces another (Slot),
// and the errors of these. It depends neither on WebAssembly nor on the cluster.
package plugin
