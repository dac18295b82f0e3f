// SPDX-License-Identifier: Apache-2.0
//
// The border of docs/spec/abi.md.
#include "work.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(name) __attribute__((import_module("k1s"), import_name(name)))
#define IS_ERROR 0x80000000u

IMPORT("k1s_client_get") uint64_t k1s_client_get(const char *at, uint32_t size);

extern char __heap_base;
static uint32_t next; // where the next buffer begins; 0 before the first

EXPORT("k1s_alloc") char *k1s_alloc(uint32_t size) {
  if (next == 0) next = (uint32_t)&__heap_base;
  uint64_t end = (uint64_t)next + ((size + 7u) & ~7u), have = (uint64_t)__builtin_wasm_memory_size(0) << 16;
  if (end > have && __builtin_wasm_memory_grow(0, (uint32_t)((end - have + 65535) >> 16)) == (uint32_t)-1) return 0;
  char *at = (char *)next;
  next = (uint32_t)end;
  return at;
}

static uint64_t pack(text t, uint32_t flag) { return (uint64_t)(uint32_t)t.at << 32 | t.size | flag; }

static text ask_host(text request, bool *found) {
  uint64_t reply = k1s_client_get(request.at, request.size);
  *found = !((uint32_t)reply & IS_ERROR);
  return (text){(const char *)(uint32_t)(reply >> 32), (uint32_t)reply & ~IS_ERROR};
}

EXPORT("k1s_abi_version") uint32_t k1s_abi_version(void) { return 1; }

EXPORT("k1s_metadata") uint64_t k1s_metadata(void) {
  return pack(TEXT("{\"name\":\"bench-c\",\"version\":\"1.0.0\",\"language\":\"c\",\"capabilities\":[\"reconcile\"],\"forTypes\":["
                   "{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Item\"},"
                   "{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"}]}"), 0);
}

EXPORT("reconcile") uint64_t reconcile(const char *at, uint32_t size) {
  bool failed = false;
  text reply = run((text){at, size}, ask_host, &failed);
  next = 0; // all buffers may be used again; the reply is valid until then
  return pack(reply, failed ? IS_ERROR : 0);
}
