;; SPDX-License-Identifier: Apache-2.0
;;
;; Metadata whose schema nests a hundred thousand deep.
(module
  (memory (export "memory") 3)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64)
    (memory.fill (i32.const 4096) (i32.const 0x5b) (i32.const 100000))
    (memory.copy (i32.const 4096) (i32.const 16) (i32.const 112))
    (memory.copy (i32.const 4208) (i32.const 512) (i32.const 16))
    (i64.const 0x1000000186a0))
  (func (export "k1s_alloc") (param $size i32) (result i32) (i32.const 4096))
  (func (export "reconcile") (param i32 i32) (result i64) (i64.const 0))
  (data (i32.const 512) ",\"configSchema\":"))
