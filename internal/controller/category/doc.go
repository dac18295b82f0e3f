// SPDX-License-Identifier: Apache-2.0

// Package category is the embedded controller of Categories. It counts a Category's Items and
// subcategories, and reports whether its ancestors exist and form no cycle. A Category's depth and path
// are not its business: a plugin may write them, under a field manager of its own.
package category
