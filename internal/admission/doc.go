// SPDX-License-Identifier: Apache-2.0

// Package admission implements the admission webhooks of plugins: a server for validating and mutating webhooks, which
// calls the exports of the plugins, and the webhook configurations that make the API server send admission requests to
// it.
package admission
