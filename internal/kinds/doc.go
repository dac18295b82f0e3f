// SPDX-License-Identifier: Apache-2.0

// Package kinds resolves how the API server serves a kind: as which resource, in which scope and in which versions.
// It is the one place where plugins' kinds are looked up. An answer holds until a CustomResourceDefinition or an
// APIService of the kind's group changes, see docs/adr/0022-kinds.md.
package kinds
