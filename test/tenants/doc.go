// SPDX-License-Identifier: Apache-2.0

// Package tenants lets hostile plugins loose on each other: two tenants, each with a namespace, accounts and the rights
// that a platform team would give them, run a plugin that tries everything it can against the other one. The operator is
// the whole of it, as it is wired in cmd/manager, with the rights that it ships with, against a real API server. What a
// guest does to the engine alone is in test/hostile; where HTTP requests lead in all detail is in internal/access.
package tenants
