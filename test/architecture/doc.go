// SPDX-License-Identifier: Apache-2.0

// Package architecture holds tests about the repository itself: which package
// may depend on which, and that the documentation names only what exists. The
// linter (depguard, .golangci.yml) reports direct imports on their line; these
// tests follow dependencies to the end, so nothing comes in by a detour.
package architecture
