// SPDX-License-Identifier: Apache-2.0
#include "work.h"

#define MAX 32u // of labels, tags and conditions each; Items have at most 20 tags

typedef struct { text type, status, reason; } condition;

typedef struct {
  text name, space;
  uint32_t labels;
} metadata;

typedef struct {
  metadata meta;
  text name, category, tags[MAX];
  int64_t quantity, price;
  uint32_t tag_count, condition_count;
  condition conditions[MAX];
} item;

typedef struct {
  metadata meta;
  text name, path;
  int64_t depth, items;
  uint32_t condition_count;
  condition conditions[MAX];
} category;

// FNV-1a of 32 bits.
#define START 2166136261u

static inline uint32_t hash_byte(uint32_t h, uint8_t b) { return (h ^ b) * 16777619u; }

static uint32_t hash_bytes(uint32_t h, text t) {
  for (uint32_t i = 0; i < t.size; i++) h = hash_byte(h, (uint8_t)t.at[i]);
  return h;
}

static uint32_t hash_text(uint32_t h, text t) { return hash_byte(hash_bytes(h, t), 0xff); }

static uint32_t hash_number(uint32_t h, int64_t n) {
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) h = hash_byte(h, (uint8_t)(n >> (8 * i)));
  return h;
}

static uint32_t read_labels(reader *r) {
  uint32_t sum = 0;
  text name;
  for (bool first = true; json_member(r, &first, &name);) sum += hash_text(hash_text(START, name), json_text(r));
  return sum;
}

static void read_metadata(reader *r, metadata *m) {
  text name;
  for (bool first = true; json_member(r, &first, &name);) {
    if (text_is(name, TEXT("name"))) m->name = json_text(r);
    else if (text_is(name, TEXT("namespace"))) m->space = json_text(r);
    else if (text_is(name, TEXT("labels"))) m->labels = read_labels(r);
    else json_skip(r);
  }
}

static uint32_t read_conditions(reader *r, condition *list) {
  uint32_t count = 0;
  for (bool first = true; json_element(r, &first); count++) {
    if (count == MAX) return r->failed = true, count;
    condition *c = &list[count];
    *c = (condition){0};
    text name;
    for (bool begin = true; json_member(r, &begin, &name);) {
      if (text_is(name, TEXT("type"))) c->type = json_text(r);
      else if (text_is(name, TEXT("status"))) c->status = json_text(r);
      else if (text_is(name, TEXT("reason"))) c->reason = json_text(r);
      else json_skip(r);
    }
  }
  return count;
}

static void read_item_spec(reader *r, item *i) {
  text name;
  for (bool first = true; json_member(r, &first, &name);) {
    if (text_is(name, TEXT("name"))) i->name = json_text(r);
    else if (text_is(name, TEXT("quantity"))) i->quantity = json_integer(r);
    else if (text_is(name, TEXT("price"))) i->price = json_integer(r);
    else if (text_is(name, TEXT("category"))) i->category = json_text(r);
    else if (text_is(name, TEXT("tags"))) {
      for (bool begin = true; json_element(r, &begin);) {
        if (i->tag_count == MAX) {
          r->failed = true;
          return;
        }
        i->tags[i->tag_count++] = json_text(r);
      }
    } else json_skip(r);
  }
}

static bool read_item(reader *r, item *i) {
  text name;
  bool first = true, there = false;
  while (json_member(r, &first, &name)) {
    there = true;
    if (text_is(name, TEXT("metadata"))) read_metadata(r, &i->meta);
    else if (text_is(name, TEXT("spec"))) read_item_spec(r, i);
    else if (text_is(name, TEXT("status"))) {
      for (bool begin = true; json_member(r, &begin, &name);) {
        if (text_is(name, TEXT("conditions"))) i->condition_count = read_conditions(r, i->conditions);
        else json_skip(r);
      }
    } else json_skip(r);
  }
  return there;
}

static void read_category_status(reader *r, category *c) {
  text name;
  for (bool first = true; json_member(r, &first, &name);) {
    if (text_is(name, TEXT("path"))) c->path = json_text(r);
    else if (text_is(name, TEXT("depth"))) c->depth = json_integer(r);
    else if (text_is(name, TEXT("itemCount"))) c->items = json_integer(r);
    else if (text_is(name, TEXT("conditions"))) c->condition_count = read_conditions(r, c->conditions);
    else json_skip(r);
  }
}

static void read_category(reader *r, category *c) {
  text name;
  for (bool first = true; json_member(r, &first, &name);) {
    if (text_is(name, TEXT("metadata"))) read_metadata(r, &c->meta);
    else if (text_is(name, TEXT("status"))) read_category_status(r, c);
    else if (text_is(name, TEXT("spec"))) {
      for (bool begin = true; json_member(r, &begin, &name);) {
        if (text_is(name, TEXT("name"))) c->name = json_text(r);
        else json_skip(r);
      }
    } else json_skip(r);
  }
}

static bool tagged(const item *i, text tag) {
  for (uint32_t n = 0; n < i->tag_count; n++)
    if (text_is(i->tags[n], tag)) return true;
  return false;
}

static text availability(const item *i) {
  if (tagged(i, TEXT("discontinued"))) return TEXT("Discontinued");
  if (i->quantity == 0) return TEXT("OutOfStock");
  if (tagged(i, TEXT("reserved"))) return TEXT("Reserved");
  return TEXT("Available");
}

static uint32_t hash_conditions(uint32_t h, const condition *list, uint32_t count) {
  for (uint32_t n = 0; n < count; n++)
    h = hash_text(hash_text(hash_text(h, list[n].type), list[n].status), list[n].reason);
  return h;
}

static uint32_t checksum(const item *i, const category *c) {
  uint32_t h = hash_text(START, availability(i));
  h = hash_text(hash_bytes(hash_bytes(h, c->path), TEXT("/")), i->meta.name);
  h = hash_text(hash_text(h, i->name), c->name);
  h = hash_number(hash_number(h, i->quantity), i->price);
  h = hash_number(hash_number(h, c->depth), c->items);
  for (uint32_t n = 0; n < i->tag_count; n++) h = hash_text(h, i->tags[n]);
  h = hash_conditions(h, i->conditions, i->condition_count);
  h = hash_conditions(h, c->conditions, c->condition_count);
  return h + i->meta.labels + c->meta.labels;
}

// INVALID is an error as the host reads it.
#define INVALID(message) TEXT("{\"reason\":\"Invalid\",\"message\":\"" message "\"}")

static char buffer[1024];

static char *put(char *to, text t) {
  __builtin_memcpy(to, t.at, t.size);
  return to + t.size;
}

// ask writes the request for the Category. Names in Kubernetes need no escaping.
static text ask(const item *i) {
  if (i->meta.space.size + i->category.size > sizeof buffer - 128) return (text){buffer, 0};
  char *to = put(buffer, TEXT("{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\",\"namespace\":\""));
  to = put(put(to, i->meta.space), TEXT("\",\"name\":\""));
  to = put(put(to, i->category), TEXT("\"}"));
  return (text){buffer, (uint32_t)(to - buffer)};
}

static text reply(uint64_t number) {
  char digits[20], *at = digits + sizeof digits;
  do *--at = (char)('0' + number % 10);
  while (number /= 10);
  char *to = put(put(buffer, TEXT("{\"requeueAfterMillis\":")), (text){at, (uint32_t)(digits + sizeof digits - at)});
  to = put(to, TEXT("}"));
  return (text){buffer, (uint32_t)(to - buffer)};
}

text run(text input, get *get, bool *failed) {
  static item i; // in static memory, as the stack is small
  static category c;
  i.meta = (metadata){0}, i.tag_count = i.condition_count = 0, i.quantity = i.price = 0, i.name = i.category = (text){0};
  c.meta = (metadata){0}, c.condition_count = 0, c.depth = c.items = 0, c.name = c.path = (text){0};

  reader r = {(char *)input.at, (char *)input.at + input.size, false};
  text name, kind = {0};
  bool there = false;
  for (bool first = true; json_member(&r, &first, &name);) {
    if (text_is(name, TEXT("kind"))) kind = json_text(&r);
    else if (text_is(name, TEXT("object"))) there = read_item(&r, &i);
    else json_skip(&r);
  }
  if (r.failed) return *failed = true, INVALID("the request cannot be read");
  if (!there || !text_is(kind, TEXT("Item"))) return TEXT("");

  bool found = true;
  text object = get(ask(&i), &found);
  if (!found) return *failed = true, object;
  r = (reader){(char *)object.at, (char *)object.at + object.size, false};
  read_category(&r, &c);
  if (r.failed) return *failed = true, INVALID("the Category cannot be read");
  return reply(3600000u + (uint64_t)checksum(&i, &c));
}
