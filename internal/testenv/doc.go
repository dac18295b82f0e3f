// SPDX-License-Identifier: Apache-2.0

// Package testenv starts a real API server for tests and offers the few helpers that every such
// test needs: namespaces, polling with a deadline, managers that stop with the test. Tests only.
//
// A test package has one API server, started by its TestMain:
//
//	func TestMain(m *testing.M) { testenv.Main(m) }
package testenv
