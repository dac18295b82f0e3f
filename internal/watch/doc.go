// SPDX-License-Identifier: Apache-2.0

// Package watch starts and stops a controller for each plugin at run time. All plugins share one
// informer per kind: it starts with the first that watches the kind and stops with the last.
package watch
