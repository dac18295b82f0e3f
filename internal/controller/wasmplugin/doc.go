// SPDX-License-Identifier: Apache-2.0

// Package wasmplugin brings WasmPlugins to life in five phases, each in a file of its own: fetch,
// verify, authorize, compile, swap. Every phase sets its condition and says how to go on when it
// fails (problem.go); the revision that serves goes on serving until the last phase has succeeded.
package wasmplugin
