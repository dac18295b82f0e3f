// SPDX-License-Identifier: Apache-2.0

// Package wasmplugin implements the controller of WasmPlugins: it loads, replaces and unloads plugins. A load runs in
// phases. The main ones are fetch, verify, authorize, compile and swap, each in a file of its own. Every phase sets its
// condition and determines how the plugin recovers if the phase fails (problem.go). The serving revision keeps serving
// until swap replaces it.
package wasmplugin
