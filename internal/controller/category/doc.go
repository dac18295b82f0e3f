// SPDX-License-Identifier: Apache-2.0

// Package category implements the embedded controller of Categories. It counts a Category's Items and subcategories,
// and reports whether its ancestors exist and form no cycle. It does not write a Category's depth and path: a plugin
// can write them, with its own field manager.
package category
