// SPDX-License-Identifier: Apache-2.0

// Package architecture implements tests of the repository itself: which package is allowed to depend on which, and that
// the documentation names only what exists. The linter (depguard, .golangci.yml) reports direct imports on their line.
// These tests also follow indirect dependencies.
package architecture
