// SPDX-License-Identifier: Apache-2.0

// Package item implements the embedded controller of Items. It reports in an Item's status whether the item is
// available, and whether the Category that it names exists.
package item
