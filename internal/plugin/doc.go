// SPDX-License-Identifier: Apache-2.0

// Package plugin is the domain: what a plugin is (Module, Metadata, Capability), how one is run
// (Runner, behind which the engine and its decorators stand), how one revision replaces another
// (Slot), and the errors of all that. It knows neither WebAssembly nor the cluster.
package plugin
