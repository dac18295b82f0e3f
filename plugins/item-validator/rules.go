// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"
	"strings"
)

// The tags that have a meaning for the shop.
const (
	tagReserved     = "reserved"
	tagDiscontinued = "discontinued"
)

// premium is the prefix of the categories whose items must have a price.
const premium = "premium"

// priceJump is the maximum factor of a price change in one update. It detects a price of 10.99 for 1099 cents, or the
// other way round, which is off by a factor of a hundred.
const priceJump = 10

// broken returns the rules that an item violates by itself. Each text says how to fix it.
func (i *item) broken() []string {
	var found []string
	if i.name != strings.TrimSpace(i.name) {
		found = append(found, "spec.name must not begin or end with a blank")
	}
	if i.price == 0 && strings.HasPrefix(i.category, premium) {
		found = append(found, "spec.price must be set in the category "+strconv.Quote(i.category))
	}
	if i.is(tagReserved) && i.is(tagDiscontinued) {
		found = append(found, "spec.tags must not have both reserved and discontinued: nobody can wait for what is not sold")
	}
	for n, tag := range i.tags {
		if tag != strings.TrimSpace(tag) {
			found = append(found, "spec.tags must not have "+strconv.Quote(tag)+", which begins or ends with a blank")
		}
		for _, other := range i.tags[:n] {
			if tag != other && strings.EqualFold(tag, other) {
				found = append(found, "spec.tags must not have both "+strconv.Quote(other)+" and "+strconv.Quote(tag))
			}
		}
	}
	return found
}

// brokenBy returns the rules that the change from an older item to this one violates.
func (i *item) brokenBy(old *item) []string {
	var found []string
	if i.quantity == 0 && old.quantity > 0 && i.is(tagReserved) {
		found = append(found, "spec.quantity must not drop to 0 while the item is reserved: sell it and take the tag off, or keep one")
	}
	if old.price > 0 && i.price > 0 && (i.price/priceJump >= old.price || old.price/priceJump >= i.price) {
		found = append(found, "spec.price must not go from "+cents(old.price)+" to "+cents(i.price)+
			" at once: it is in cents; if that is meant, take the price off first")
	}
	return found
}

func cents(price int64) string { return strconv.FormatInt(price, 10) + " cents" }
