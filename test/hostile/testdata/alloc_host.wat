;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls a host function that replies, which would call k1s_alloc again, and so on.
(module
  (import "k1s" "k1s_client_get" (func $get (param i32 i32) (result i64)))
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 113 bytes at 16
    (i64.const 0x1000000071))
  (func (export "k1s_alloc") (param $size i32) (result i32)
    (if (i32.ne (local.get $size) (i32.const 7)) (then (return (i32.const 4096)))) ;; not "hostile"
    (drop (call $get (i32.const 512) (i32.const 53)))
    (i32.const 4096))
  (func (export "reconcile") (param i32 i32) (result i64) (i64.const 0))
  (data (i32.const 512) "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"found\"}"))
