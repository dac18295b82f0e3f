// SPDX-License-Identifier: Apache-2.0

// Package tenants implements tests of hostile plugins in a cluster with two tenants. Each tenant has a namespace,
// ServiceAccounts and the permissions that a platform team would grant. It runs plugins that try everything they can
// against the other tenant. The tests run the whole operator, as it is wired in cmd/manager, with the permissions that
// it ships with, against a real API server. Attacks of a guest on the engine are in test/hostile. The details of the
// restrictions on HTTP requests are tested in internal/access.
package tenants
