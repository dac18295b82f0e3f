// SPDX-License-Identifier: Apache-2.0

// Package rbac implements the decisions of the API server's RBAC about the requests of plugins: who a plugin is at the
// API server (Identity), what it requests (Action), whether its ServiceAccount is allowed that (Authorizer), and when
// the answer changes. Authorizer caches decisions until Watch observes a change of the permissions.
package rbac
