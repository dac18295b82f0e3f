// SPDX-License-Identifier: Apache-2.0

// Package access implements the access of plugins to the cluster and to HTTP servers: it authorizes their requests and
// carries them out.
//
// The API server sees a plugin as its ServiceAccount. RestrictedClient checks the plugin's allowlists first, then RBAC
// for the ServiceAccount: with a SubjectAccessReview for reads that the shared cache answers, with impersonation for
// everything else. The error of a denied request names the layer that denied it. Authorizer caches decisions until
// RightsWatch observes a change of the permissions. Requests that change something, and requests that are denied, are
// recorded (record.go), among others in the audit log.
//
// Only this package creates clients with a plugin's identity, and makes the HTTP requests of plugins (http.go), which
// Egress restricts.
package access
