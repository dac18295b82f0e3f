// SPDX-License-Identifier: Apache-2.0
//
// FNV-1a of 32 bits.

import { Reader, Text } from "./json";

export const START: u32 = 2166136261;

@inline export function hashByte(h: u32, b: u8): u32 {
  return (h ^ b) * 16777619;
}

export function hashBytes(h: u32, at: usize, size: u32): u32 {
  for (let end = at + size; at < end; at++) h = hashByte(h, load<u8>(at));
  return h;
}

export function hashText(h: u32, t: Text): u32 {
  return hashByte(hashBytes(h, t.at, t.size), 0xff);
}

/** Adds the name of the member that was read last. */
export function hashName(h: u32, r: Reader): u32 {
  return hashByte(hashBytes(h, r.begin, r.name), 0xff);
}

export function hashNumber(h: u32, n: i64): u32 {
  for (let i = 0; i < 8; i++, n >>= 8) h = hashByte(h, <u8>n);
  return h;
}
