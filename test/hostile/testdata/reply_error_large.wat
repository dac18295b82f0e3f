;; SPDX-License-Identifier: Apache-2.0
;;
;; Answers an error with a reason and a message of a megabyte each.
(module
  (memory (export "memory") 300)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 113 bytes at 16
    (i64.const 0x1000000071))
  (func (export "k1s_alloc") (param $size i32) (result i32) (i32.const 4096))
  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (if (result i64) (i32.eq (local.get $len) (i32.const 4)) ;; "good"
      (then (i64.const 0))
      (else (call $trick (local.get $ptr)))))
  (func $trick (param $ptr i32) (result i64)
    (memory.fill (i32.const 65536) (i32.const 0x41) (i32.const 2000000))
    (memory.copy (i32.const 65536) (i32.const 1024) (i32.const 11))
    (memory.copy (i32.const 1065536) (i32.const 1040) (i32.const 13))
    (i32.store16 (i32.const 2000000) (i32.const 0x7d22))
    (i64.const 0x10000801d8482))
  (data (i32.const 1024) "{\"reason\":\"")
  (data (i32.const 1040) "\",\"message\":\""))
