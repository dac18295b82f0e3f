// SPDX-License-Identifier: Apache-2.0

// Package access decides and carries out what a plugin does to the cluster. A plugin is its
// ServiceAccount: RestrictedClient asks the plugin's allowlists first, then RBAC for that account
// (a SubjectAccessReview for what the shared cache answers, impersonation for everything else), and
// the first "no" names the layer that said it. Decisions are remembered until RightsWatch hears that the
// rights behind them have changed. What changes something or is refused is recorded (record.go), in the
// audit log among others. Only this package makes clients from a plugin's identity, and HTTP
// requests of plugins (http.go), which Egress bounds.
package access
