// SPDX-License-Identifier: Apache-2.0

// Package watch implements a controller for each plugin, which starts and stops at run time. All plugins share one
// informer per kind: it starts with the first plugin that watches the kind and stops with the last.
package watch
