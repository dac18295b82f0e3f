// SPDX-License-Identifier: Apache-2.0

// Package status writes the statuses of embedded controllers: by server-side apply, so that every
// writer keeps what it owns, and only when something has changed.
package status
