;; SPDX-License-Identifier: Apache-2.0
;;
;; Fills a table of a million elements 4^10 times, without a loop.
(module
  (memory (export "memory") 1)
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
    (call $f0) (i64.const 0))
  (table $t 1000000 funcref)
  (func $f0 (call $f1) (call $f1) (call $f1) (call $f1))
  (func $f1 (call $f2) (call $f2) (call $f2) (call $f2))
  (func $f2 (call $f3) (call $f3) (call $f3) (call $f3))
  (func $f3 (call $f4) (call $f4) (call $f4) (call $f4))
  (func $f4 (call $f5) (call $f5) (call $f5) (call $f5))
  (func $f5 (call $f6) (call $f6) (call $f6) (call $f6))
  (func $f6 (call $f7) (call $f7) (call $f7) (call $f7))
  (func $f7 (call $f8) (call $f8) (call $f8) (call $f8))
  (func $f8 (call $f9) (call $f9) (call $f9) (call $f9))
  (func $f9 (call $f10) (call $f10) (call $f10) (call $f10))
  (func $f10 (table.fill $t (i32.const 0) (ref.null func) (i32.const 1000000))))
