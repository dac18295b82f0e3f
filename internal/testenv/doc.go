// SPDX-License-Identifier: Apache-2.0

// Package testenv implements a real API server for tests and the helpers that such tests need: namespaces, polling with
// a deadline, and managers that stop with the test. Only tests use it.
//
// A test package has one API server, which its TestMain starts:
//
//	func TestMain(m *testing.M) { testenv.Main(m) }
package testenv
