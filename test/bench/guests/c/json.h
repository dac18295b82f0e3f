// SPDX-License-Identifier: Apache-2.0
//
// A pull reader of JSON (RFC 8259) over bytes in memory. It allocates nothing: texts are views of the
// input, and only those with escapes are decoded, in place. After the first error every read ends at
// once, so callers look at `failed` when they are done.
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  const char *at;
  uint32_t size;
} text;

typedef struct {
  char *at, *end;
  bool failed;
} reader;

// TEXT is a view of a string literal.
#define TEXT(s) ((text){s, sizeof(s) - 1})

bool text_is(text a, text b);

// json_text reads a string, decoded; null is empty.
text json_text(reader *r);
// json_integer reads a number without a fraction; null is 0.
int64_t json_integer(reader *r);
// json_skip reads any value.
void json_skip(reader *r);

// json_member reads the next name of an object and its colon; the caller then reads the value. `first`
// is true before the first call. It returns false after the last member; null has none.
bool json_member(reader *r, bool *first, text *name);
// json_element does the same for an array.
bool json_element(reader *r, bool *first);

#endif
