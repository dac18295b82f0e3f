// SPDX-License-Identifier: Apache-2.0

// Package item is the embedded controller of Items. It says in an Item's status whether the item can
// be had, and whether the Category that it names exists.
package item
