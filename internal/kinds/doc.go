// SPDX-License-Identifier: Apache-2.0

// Package kinds resolves how the API server serves a kind: as which resource, in which scope and in which versions. No
// other package looks up the kinds of plugins. An answer is valid until a CustomResourceDefinition or an APIService of
// the kind's group changes, see docs/adr/0022-kinds.md.
package kinds
