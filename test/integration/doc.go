// SPDX-License-Identifier: Apache-2.0

// Package integration tests the whole operator, as it is wired in cmd/manager, against a real API
// server. The operator runs as a user that has the rights of its own ClusterRole and no others.
package integration
