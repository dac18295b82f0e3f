// SPDX-License-Identifier: Apache-2.0

// Package directory implements the source of plugins in a directory: modules (*.wasm) and the files that describe them
// (*-plugin.yaml, wasm-plugins.yaml). It notifies subscribers when something in the directory changes.
package directory
