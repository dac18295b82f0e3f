// SPDX-License-Identifier: Apache-2.0
//
// The work of the benchmark: see ../../README.md.

import { Reader, Text, bytes } from "./json";
import { START, hashByte, hashBytes, hashNumber, hashText } from "./hash";
import { Category, Condition, Item } from "./objects";

const KIND = bytes("kind"), OBJECT = bytes("object"), ITEM = bytes("Item");
const DISCONTINUED = bytes("discontinued"), RESERVED = bytes("reserved");
const IS_DISCONTINUED = bytes("Discontinued"), IS_OUT = bytes("OutOfStock");
const IS_RESERVED = bytes("Reserved"), IS_AVAILABLE = bytes("Available");

/** Reads the request; null for one that asks for nothing. */
export function readRequest(input: Text): Item | null {
  const r = Reader.of(input);
  let item: Item | null = null, isItem = false;
  for (let more = r.member(true); more; more = r.member(false)) {
    if (r.named(KIND)) isItem = r.text().is(ITEM);
    else if (r.named(OBJECT)) item = Item.read(r);
    else r.skip();
  }
  if (r.failed) throw new Error("the request cannot be read");
  return isItem ? item : null;
}

export function readCategory(object: Text): Category {
  const r = Reader.of(object);
  const category = Category.read(r);
  if (r.failed) throw new Error("the Category cannot be read");
  return category;
}

function tagged(item: Item, tag: StaticArray<u8>): bool {
  for (let i = 0, n = item.tags.length; i < n; i++) {
    if (unchecked(item.tags[i]).is(tag)) return true;
  }
  return false;
}

function availability(item: Item): StaticArray<u8> {
  if (tagged(item, DISCONTINUED)) return IS_DISCONTINUED;
  if (item.quantity == 0) return IS_OUT;
  if (tagged(item, RESERVED)) return IS_RESERVED;
  return IS_AVAILABLE;
}

function hashConditions(h: u32, list: Condition[]): u32 {
  for (let i = 0, n = list.length; i < n; i++) {
    const c = unchecked(list[i]);
    h = hashText(hashText(hashText(h, c.type), c.status), c.reason);
  }
  return h;
}

export function checksum(item: Item, category: Category): u32 {
  const a = availability(item);
  let h = hashByte(hashBytes(START, changetype<usize>(a), a.length), 0xff);
  h = hashByte(hashBytes(h, category.path.at, category.path.size), 0x2f);
  h = hashText(hashText(hashText(h, item.meta.name), item.name), category.name);
  h = hashNumber(hashNumber(h, item.quantity), item.price);
  h = hashNumber(hashNumber(h, category.depth), category.itemCount);
  for (let i = 0, n = item.tags.length; i < n; i++) h = hashText(h, unchecked(item.tags[i]));
  h = hashConditions(hashConditions(h, item.conditions), category.conditions);
  return h + item.meta.labels + category.meta.labels;
}
