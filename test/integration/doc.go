// SPDX-License-Identifier: Apache-2.0

// Package integration tests the whole operator, as cmd/manager wires it, against a real API server. The operator runs
// as a user that has only the permissions of the roles in config/rbac.
package integration
