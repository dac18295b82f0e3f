// SPDX-License-Identifier: Apache-2.0

// Package access implements the access of plugins to the cluster and to HTTP servers: it authorizes their requests and
// carries them out.
//
// The API server sees a plugin as its ServiceAccount. RestrictedClient checks the plugin's allowlists first, then RBAC
// for the ServiceAccount (package rbac): with a SubjectAccessReview for reads that the shared cache answers, with
// impersonation for everything else. The error of a denied request names the layer that denied it. Requests that change
// something, and requests that are denied, are recorded (package audit).
//
// Only this package creates clients with a plugin's identity, and makes the HTTP requests of plugins (http.go), which
// Egress restricts.
package access
