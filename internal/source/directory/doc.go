// SPDX-License-Identifier: Apache-2.0

// Package directory reads plugins from a directory: modules (*.wasm) and the files that describe
// them (*-plugin.yaml, wasm-plugins.yaml). It tells when something in the directory changed.
package directory
