;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls itself for ever in the k1s_alloc that is called inside a host function, with the guest's own frames already on the stack.
(module
  (import "k1s" "k1s_client_get" (func $get (param i32 i32) (result i64)))
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 113 bytes at 16
    (i64.const 0x1000000071))
  (func $alloc (export "k1s_alloc") (param $size i32) (result i32)
    (if (result i32) (global.get $armed)
      (then (i32.add (call $alloc (local.get $size)) (i32.const 1)))
      (else (i32.const 4096))))
  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (if (result i64) (i32.eq (local.get $len) (i32.const 4)) ;; "good"
      (then (i64.const 0))
      (else (call $trick (local.get $ptr)))))
  (func $trick (param $ptr i32) (result i64)
    (global.set $armed (i32.const 1))
    (call $get (i32.const 512) (i32.const 53)))
  (global $armed (mut i32) (i32.const 0))
  (data (i32.const 512) "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"found\"}"))
