// SPDX-License-Identifier: Apache-2.0
#include "json.h"

static inline uint64_t load64(const char *p) {
  uint64_t word;
  __builtin_memcpy(&word, p, sizeof word);
  return word;
}

bool text_is(text a, text b) {
  if (a.size != b.size) return false;
  uint32_t i = 0;
  for (; i + 8 <= a.size; i += 8)
    if (load64(a.at + i) != load64(b.at + i)) return false;
  for (; i < a.size; i++)
    if (a.at[i] != b.at[i]) return false;
  return true;
}

static void fail(reader *r) {
  r->failed = true;
  r->at = r->end;
}

static inline void space(reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static inline bool take(reader *r, char c) {
  if (r->at < r->end && *r->at == c) {
    r->at++;
    return true;
  }
  return false;
}

static inline bool want(reader *r, char c) {
  if (take(r, c)) return true;
  fail(r);
  return false;
}

static bool literal(reader *r, text word) {
  if ((uint32_t)(r->end - r->at) < word.size || !text_is((text){r->at, word.size}, word)) return false;
  r->at += word.size;
  return true;
}

static bool null(reader *r) { return r->at < r->end && *r->at == 'n' && literal(r, TEXT("null")); }

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

// plain moves over characters that stand for themselves in a string, eight at a time.
static inline void plain(reader *r) {
  char *p = r->at;
  while (p + 8 <= r->end) {
    uint64_t word = load64(p), quote = word ^ (ONES * '"'), slash = word ^ (ONES * '\\');
    // The lowest mark is exact: borrows reach higher bytes only.
    uint64_t mark = (((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | ((word - ONES * 0x20) & ~word)) & HIGHS;
    if (mark) {
      r->at = p + (__builtin_ctzll(mark) >> 3);
      return;
    }
    p += 8;
  }
  while (p < r->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) p++;
  r->at = p;
}

static int hex4(const char *p) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    int c = p[i] | 0x20;
    if (c >= '0' && c <= '9') value = value << 4 | (c - '0');
    else if (c >= 'a' && c <= 'f') value = value << 4 | (c - 'a' + 10);
    else return -1;
  }
  return value;
}

static char *put_utf8(char *to, uint32_t c) {
  if (c < 0x80) {
    *to++ = (char)c;
    return to;
  }
  if (c < 0x800) {
    *to++ = (char)(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      *to++ = (char)(0xe0 | c >> 12);
    } else {
      *to++ = (char)(0xf0 | c >> 18);
      *to++ = (char)(0x80 | (c >> 12 & 0x3f));
    }
    *to++ = (char)(0x80 | (c >> 6 & 0x3f));
  }
  *to++ = (char)(0x80 | (c & 0x3f));
  return to;
}

// escape decodes what follows a backslash; what it stands for is never longer than it is itself.
static char *escape(reader *r, char *to) {
  if (r->at >= r->end) return fail(r), to;
  switch (*r->at++) {
  case '"': *to++ = '"'; return to;
  case '\\': *to++ = '\\'; return to;
  case '/': *to++ = '/'; return to;
  case 'b': *to++ = '\b'; return to;
  case 'f': *to++ = '\f'; return to;
  case 'n': *to++ = '\n'; return to;
  case 'r': *to++ = '\r'; return to;
  case 't': *to++ = '\t'; return to;
  case 'u': break;
  default: return fail(r), to;
  }
  if (r->end - r->at < 4) return fail(r), to;
  int c = hex4(r->at);
  if (c < 0) return fail(r), to;
  r->at += 4;
  if (c >= 0xd800 && c < 0xe000) {
    int low = r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u' ? hex4(r->at + 2) : -1;
    if (c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
      r->at += 6;
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else {
      c = 0xfffd;
    }
  }
  return put_utf8(to, (uint32_t)c);
}

// string reads behind the opening quote.
static text string(reader *r) {
  char *begin = r->at;
  plain(r);
  if (take(r, '"')) return (text){begin, (uint32_t)(r->at - begin - 1)};
  char *to = r->at;
  while (!r->failed) {
    if (take(r, '"')) return (text){begin, (uint32_t)(to - begin)};
    if (!want(r, '\\')) break;
    to = escape(r, to);
    char *from = r->at;
    plain(r);
    uint32_t size = (uint32_t)(r->at - from);
    __builtin_memmove(to, from, size);
    to += size;
  }
  return (text){begin, 0};
}

text json_text(reader *r) {
  space(r);
  if (take(r, '"')) return string(r);
  if (!null(r)) fail(r);
  return (text){r->at, 0};
}

int64_t json_integer(reader *r) {
  space(r);
  if (null(r)) return 0;
  bool negative = take(r, '-');
  char *begin = r->at;
  uint64_t value = 0;
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9') value = value * 10 + (uint64_t)(*r->at++ - '0');
  if (r->at == begin || r->at - begin > 18 || (r->at < r->end && (*r->at == '.' || (*r->at | 0x20) == 'e'))) fail(r);
  return negative ? -(int64_t)value : (int64_t)value;
}

static inline void skip_string(reader *r) {
  for (;;) {
    plain(r);
    if (take(r, '"')) return;
    if (!want(r, '\\') || r->at == r->end) return fail(r);
    r->at++;
  }
}

// json_skip counts brackets; that each closes its own kind is not looked at, as the host sends JSON.
void json_skip(reader *r) {
  uint32_t depth = 0;
  space(r);
  do {
    if (r->at >= r->end) return fail(r);
    char c = *r->at++;
    if (c == '"') skip_string(r);
    else if (c == '{' || c == '[') depth++;
    else if (c == '}' || c == ']') depth--;
    else if (depth == 0) // a number or a literal: up to what ends it
      while (r->at < r->end && *r->at != ',' && *r->at != '}' && *r->at != ']' && *r->at > ' ') r->at++;
  } while (depth > 0);
}

static inline bool next(reader *r, bool *first, char open, char close) {
  space(r);
  if (*first) {
    *first = false;
    if (null(r) || !want(r, open)) return false;
    space(r);
    return !take(r, close);
  }
  if (take(r, close)) return false;
  return want(r, ',');
}

bool json_member(reader *r, bool *first, text *name) {
  if (!next(r, first, '{', '}')) return false;
  space(r);
  if (!want(r, '"')) return false;
  *name = string(r);
  space(r);
  return want(r, ':');
}

bool json_element(reader *r, bool *first) { return next(r, first, '[', ']'); }
