// SPDX-License-Identifier: Apache-2.0

// Package watch implements controllers that start and stop at run time on shared informers: Controller, on which the
// embedded controllers are built too, and Manager, which runs one for each plugin. All plugins share one informer per
// kind: it starts with the first plugin that watches the kind and stops with the last.
package watch
