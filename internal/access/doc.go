// SPDX-License-Identifier: Apache-2.0

// Package access decides and carries out what a plugin does to the cluster. A plugin is its
// ServiceAccount: RestrictedClient asks the plugin's allowlists first, then RBAC for that account
// (a SubjectAccessReview for what the shared cache answers, impersonation for everything else), and
// the first "no" names the layer that said it. Only this package makes clients from a plugin's identity.
package access
