// SPDX-License-Identifier: Apache-2.0
//
// A pull reader of JSON (RFC 8259) over UTF-8 in memory. Texts are views of the input, and those with
// escapes are decoded in place: strings of AssemblyScript are UTF-16, which would cost twice.

const ONES: u64 = 0x0101010101010101;
const HIGHS: u64 = 0x8080808080808080;

/** A view of UTF-8 in memory, valid as long as what it points to. */
@final
export class Text {
  constructor(public at: usize, public size: u32) {}

  is(word: StaticArray<u8>): bool {
    return this.size == <u32>word.length && memory.compare(this.at, changetype<usize>(word), this.size) == 0;
  }
}

export const EMPTY = new Text(0, 0);

/** The bytes of an ASCII text. */
export function bytes(s: string): StaticArray<u8> {
  const out = new StaticArray<u8>(s.length);
  for (let i = 0; i < s.length; i++) out[i] = <u8>s.charCodeAt(i);
  return out;
}

const NULL = bytes("null");

@final
export class Reader {
  /** Set by the first error, after which every read ends at once. */
  failed: bool = false;

  /** Where the text that was read last begins, and the size of the last name. */
  begin: usize = 0;
  name: u32 = 0;

  constructor(private at: usize, private end: usize) {}

  static of(t: Text): Reader {
    return new Reader(t.at, t.at + t.size);
  }

  private fail(): void {
    this.failed = true;
    this.at = this.end;
  }

  @inline private space(): void {
    while (this.at < this.end) {
      const c = load<u8>(this.at);
      if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) break;
      this.at++;
    }
  }

  @inline private take(c: u8): bool {
    if (this.at < this.end && load<u8>(this.at) == c) {
      this.at++;
      return true;
    }
    return false;
  }

  @inline private want(c: u8): bool {
    if (this.take(c)) return true;
    this.fail();
    return false;
  }

  @inline private isNull(): bool {
    if (this.at + 4 > this.end || load<u8>(this.at) != 0x6e) return false;
    if (memory.compare(this.at, changetype<usize>(NULL), 4) != 0) return false;
    this.at += 4;
    return true;
  }

  /** Moves over characters that stand for themselves in a string, eight at a time. */
  private plain(): void {
    let p = this.at;
    const end = this.end;
    while (p + 8 <= end) {
      const word = load<u64>(p);
      const quote = word ^ (ONES * 0x22);
      const slash = word ^ (ONES * 0x5c);
      // The lowest mark is exact: borrows reach higher bytes only.
      const mark = (((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | ((word - ONES * 0x20) & ~word)) & HIGHS;
      if (mark != 0) {
        this.at = p + <usize>(ctz(mark) >> 3);
        return;
      }
      p += 8;
    }
    while (p < end) {
      const c = load<u8>(p);
      if (c == 0x22 || c == 0x5c || c < 0x20) break;
      p++;
    }
    this.at = p;
  }

  private hex4(at: usize): i32 {
    let value = 0;
    for (let i: usize = 0; i < 4; i++) {
      const c = <i32>load<u8>(at + i) | 0x20;
      if (c >= 0x30 && c <= 0x39) value = (value << 4) | (c - 0x30);
      else if (c >= 0x61 && c <= 0x66) value = (value << 4) | (c - 0x57);
      else return -1;
    }
    return value;
  }

  /** Decodes what follows a backslash; what it stands for is never longer than it is itself. */
  private escape(to: usize): usize {
    if (this.at >= this.end) {
      this.fail();
      return to;
    }
    let c: i32 = load<u8>(this.at++);
    switch (c) {
      case 0x22: case 0x5c: case 0x2f: break;
      case 0x62: c = 8; break;
      case 0x66: c = 12; break;
      case 0x6e: c = 10; break;
      case 0x72: c = 13; break;
      case 0x74: c = 9; break;
      case 0x75: {
        c = this.at + 4 <= this.end ? this.hex4(this.at) : -1;
        this.at += 4;
        if (c >= 0xd800 && c < 0xe000) c = this.pair(c);
        break;
      }
      default: c = -1;
    }
    if (c < 0) {
      this.fail();
      return to;
    }
    return utf8(to, c);
  }

  /** Reads the second half of a surrogate pair. */
  private pair(high: i32): i32 {
    const at = this.at;
    if (high >= 0xdc00 || at + 6 > this.end || load<u16>(at) != 0x755c) return 0xfffd;
    const low = this.hex4(at + 2);
    if (low < 0xdc00 || low >= 0xe000) return 0xfffd;
    this.at += 6;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }

  /** Reads behind the opening quote: the text is at `begin`, and has the size that is returned. */
  private rest(): u32 {
    const begin = this.at;
    this.begin = begin;
    this.plain();
    if (this.take(0x22)) return <u32>(this.at - begin - 1);
    let to = this.at;
    while (!this.failed) {
      if (this.take(0x22)) return <u32>(to - begin);
      if (!this.want(0x5c)) break;
      to = this.escape(to);
      const from = this.at;
      this.plain();
      const size = this.at - from;
      memory.copy(to, from, size);
      to += size;
    }
    return 0;
  }

  /** Reads a string; null is empty. */
  text(): Text {
    this.space();
    if (this.take(0x22)) {
      const size = this.rest();
      return new Text(this.begin, size);
    }
    if (!this.isNull()) this.fail();
    return EMPTY;
  }

  /** Reads a number without a fraction; null is 0. */
  integer(): i64 {
    this.space();
    if (this.isNull()) return 0;
    const negative = this.take(0x2d);
    const begin = this.at;
    let value: i64 = 0;
    while (this.at < this.end) {
      const c = load<u8>(this.at);
      if (c < 0x30 || c > 0x39) break;
      value = value * 10 + (c - 0x30);
      this.at++;
    }
    const c: u8 = this.at < this.end ? load<u8>(this.at) : 0;
    if (this.at == begin || this.at - begin > 18 || c == 0x2e || (c | 0x20) == 0x65) this.fail();
    return negative ? -value : value;
  }

  /** Reads any value. That each bracket closes its own kind is not looked at: the host sends JSON. */
  skip(): void {
    let depth = 0;
    this.space();
    do {
      if (this.at >= this.end) return this.fail();
      const c = load<u8>(this.at++);
      if (c == 0x22) this.skipRest();
      else if (c == 0x7b || c == 0x5b) depth++;
      else if (c == 0x7d || c == 0x5d) depth--;
      else if (depth == 0) {
        while (this.at < this.end) {
          const d = load<u8>(this.at);
          if (d == 0x2c || d == 0x7d || d == 0x5d || d <= 0x20) break;
          this.at++;
        }
      }
    } while (depth > 0);
  }

  private skipRest(): void {
    for (;;) {
      this.plain();
      if (this.take(0x22)) return;
      if (!this.want(0x5c) || this.at >= this.end) return this.fail();
      this.at++;
    }
  }

  @inline private next(first: bool, open: u8, close: u8): bool {
    this.space();
    if (first) {
      if (this.isNull() || !this.want(open)) return false;
      this.space();
      return !this.take(close);
    }
    if (this.take(close)) return false;
    return this.want(0x2c);
  }

  /**
   * Reads the next name of an object, for the caller to ask for with `named`, and to read its value.
   * Says false after the last.
   */
  member(first: bool): bool {
    if (!this.next(first, 0x7b, 0x7d)) return false;
    this.space();
    if (!this.want(0x22)) return false;
    this.name = this.rest();
    this.space();
    return this.want(0x3a);
  }

  /** Reports whether the member that was read last has this name. */
  @inline named(word: StaticArray<u8>): bool {
    return this.name == <u32>word.length && memory.compare(this.begin, changetype<usize>(word), this.name) == 0;
  }

  /** Reports whether another element of an array follows, for the caller to read. */
  element(first: bool): bool {
    return this.next(first, 0x5b, 0x5d);
  }
}

function utf8(to: usize, c: i32): usize {
  if (c < 0x80) {
    store<u8>(to, c);
    return to + 1;
  }
  if (c < 0x800) {
    store<u8>(to++, 0xc0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      store<u8>(to++, 0xe0 | (c >> 12));
    } else {
      store<u8>(to++, 0xf0 | (c >> 18));
      store<u8>(to++, 0x80 | ((c >> 12) & 0x3f));
    }
    store<u8>(to++, 0x80 | ((c >> 6) & 0x3f));
  }
  store<u8>(to, 0x80 | (c & 0x3f));
  return to + 1;
}
