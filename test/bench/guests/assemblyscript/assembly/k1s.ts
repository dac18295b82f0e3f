// SPDX-License-Identifier: Apache-2.0
//
// The border of docs/spec/abi.md.

import { Text, bytes } from "./json";
import { checksum, readCategory, readRequest } from "./work";

@external("k1s", "k1s_client_get")
declare function clientGet(at: usize, size: u32): u64;

@external("k1s", "k1s_log")
declare function log(level: u32, at: usize, size: u32): void;

const IS_ERROR: u32 = 0x80000000;

const METADATA = bytes('{"name":"bench-assemblyscript","version":"1.0.0","language":"assemblyscript","capabilities":["reconcile"],"forTypes":[' +
  '{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item"},{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category"}]}');
const ASK = bytes('{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","namespace":"');
const ASK_NAME = bytes('","name":"');
const REPLY = bytes('{"requeueAfterMillis":');

/** Requests and replies are written here. */
const out = new StaticArray<u8>(1024);

// The buffers of k1s_alloc, kept for the next call: one for the input, one for what is read.
const buffers = new StaticArray<usize>(8);
const sizes = new StaticArray<u32>(8);
let used = 0;

export function k1s_alloc(size: u32): usize {
  if (used == buffers.length) return 0;
  if (unchecked(sizes[used]) < size) {
    if (unchecked(buffers[used])) heap.free(unchecked(buffers[used]));
    unchecked(buffers[used] = heap.alloc(size));
    unchecked(sizes[used] = size);
  }
  return unchecked(buffers[used++]);
}

@inline function pack(at: usize, size: u32, flag: u32): u64 {
  return ((<u64>at) << 32) | size | flag;
}

@inline function put(to: usize, at: usize, size: u32): usize {
  memory.copy(to, at, size);
  return to + size;
}

@inline function putBytes(to: usize, b: StaticArray<u8>): usize {
  return put(to, changetype<usize>(b), b.length);
}

export function k1s_abi_version(): i32 {
  return 1;
}

export function k1s_metadata(): u64 {
  return pack(changetype<usize>(METADATA), METADATA.length, 0);
}

/** What is thrown says what went wrong; the host makes an error of the trap and this line of the log. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  if (message) {
    const text = String.UTF8.encode(message);
    log(3, changetype<usize>(text), text.byteLength);
  }
  unreachable();
}

export function reconcile(at: usize, size: u32): u64 {
  __collect();
  const reply = run(new Text(at, size));
  used = 0; // all buffers may be used again; the reply is valid until then
  return reply;
}

function run(input: Text): u64 {
  const item = readRequest(input);
  if (!item) return 0;
  const begin = changetype<usize>(out);
  if (item.meta.namespace.size + item.category.size > 512) throw new Error("the names are too long");
  let to = putBytes(begin, ASK);
  to = put(to, item.meta.namespace.at, item.meta.namespace.size);
  to = putBytes(to, ASK_NAME);
  to = put(to, item.category.at, item.category.size);
  store<u16>(to, 0x7d22); // "}
  const reply = clientGet(begin, <u32>(to + 2 - begin));
  const answered = new Text(<usize>(reply >> 32), <u32>reply & ~IS_ERROR);
  if (<u32>reply & IS_ERROR) return reply;
  return answer(3600000 + <u64>checksum(item, readCategory(answered)));
}

function answer(millis: u64): u64 {
  const begin = changetype<usize>(out);
  let to = putBytes(begin, REPLY);
  let digits = 1;
  for (let n = millis / 10; n > 0; n /= 10) digits++;
  for (let i = digits; i > 0; i--, millis /= 10) store<u8>(to + i - 1, <u8>(0x30 + millis % 10));
  to += digits;
  store<u8>(to, 0x7d);
  return pack(begin, <u32>(to + 1 - begin), 0);
}
