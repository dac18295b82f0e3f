// SPDX-License-Identifier: Apache-2.0

// Package status writes the statuses of objects for embedded controllers: with server-side apply, so that every writer
// keeps the fields that it owns, and only if something has changed.
package status
