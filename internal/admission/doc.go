// SPDX-License-Identifier: Apache-2.0

// Package admission holds up requests to the API server for plugins: it serves the webhooks that plugins validate
// and default through, and writes the webhook configurations that send requests there.
package admission
