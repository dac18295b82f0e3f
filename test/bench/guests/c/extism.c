// SPDX-License-Identifier: Apache-2.0
//
// The border of Extism: its memory belongs to its host, and is copied eight bytes a call.
#include "work.h"

#define ENV(name) __attribute__((import_module("extism:host/env"), import_name(name)))

ENV("input_length") uint64_t input_length(void);
ENV("input_load_u8") uint32_t input_load_u8(uint64_t at);
ENV("input_load_u64") uint64_t input_load_u64(uint64_t at);
ENV("alloc") uint64_t ext_alloc(uint64_t size);
ENV("free") void ext_free(uint64_t at);
ENV("length") uint64_t ext_length(uint64_t at);
ENV("load_u8") uint32_t load_u8(uint64_t at);
ENV("load_u64") uint64_t load_u64(uint64_t at);
ENV("store_u8") void store_u8(uint64_t at, uint32_t byte);
ENV("store_u64") void store_u64(uint64_t at, uint64_t word);
ENV("output_set") void output_set(uint64_t at, uint64_t size);

__attribute__((import_module("extism:host/user"), import_name("get"))) uint64_t user_get(uint64_t request);

static char input[65536], answer[65536];

static uint64_t give(text t) {
  uint64_t block = ext_alloc(t.size), word;
  uint32_t i = 0;
  for (; i + 8 <= t.size; i += 8) {
    __builtin_memcpy(&word, t.at + i, 8);
    store_u64(block + i, word);
  }
  for (; i < t.size; i++) store_u8(block + i, (uint8_t)t.at[i]);
  return block;
}

static text ask_host(text request, bool *found) {
  uint64_t question = give(request), block = user_get(question), size = block ? ext_length(block) : 0;
  ext_free(question);
  *found = block != 0 && size <= sizeof answer;
  if (!*found) return TEXT("no answer");
  uint64_t i = 0, word;
  for (; i + 8 <= size; i += 8) {
    word = load_u64(block + i);
    __builtin_memcpy(answer + i, &word, 8);
  }
  for (; i < size; i++) answer[i] = (char)load_u8(block + i);
  ext_free(block);
  return (text){answer, (uint32_t)size};
}

__attribute__((export_name("reconcile"))) int32_t reconcile(void) {
  uint64_t size = input_length(), i = 0, word;
  if (size > sizeof input) return 1;
  for (; i + 8 <= size; i += 8) {
    word = input_load_u64(i);
    __builtin_memcpy(input + i, &word, 8);
  }
  for (; i < size; i++) input[i] = (char)input_load_u8(i);
  bool failed = false;
  text reply = run((text){input, (uint32_t)size}, ask_host, &failed);
  uint64_t block = give(reply);
  output_set(block, reply.size);
  ext_free(block);
  return failed;
}
