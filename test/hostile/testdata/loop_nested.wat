;; SPDX-License-Identifier: Apache-2.0
;;
;; Ten loops in each other, each of two thousand turns: no single loop runs for long.
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
    (loop $l0
    (loop $l1
    (loop $l2
    (loop $l3
    (loop $l4
    (loop $l5
    (loop $l6
    (loop $l7
    (loop $l8
    (loop $l9
    (global.set $work (i64.add (global.get $work) (i64.const 1)))
    (global.set $n9 (i32.add (global.get $n9) (i32.const 1)))
    (br_if $l9 (i32.rem_u (global.get $n9) (i32.const 2000))))
    (global.set $n8 (i32.add (global.get $n8) (i32.const 1)))
    (br_if $l8 (i32.rem_u (global.get $n8) (i32.const 2000))))
    (global.set $n7 (i32.add (global.get $n7) (i32.const 1)))
    (br_if $l7 (i32.rem_u (global.get $n7) (i32.const 2000))))
    (global.set $n6 (i32.add (global.get $n6) (i32.const 1)))
    (br_if $l6 (i32.rem_u (global.get $n6) (i32.const 2000))))
    (global.set $n5 (i32.add (global.get $n5) (i32.const 1)))
    (br_if $l5 (i32.rem_u (global.get $n5) (i32.const 2000))))
    (global.set $n4 (i32.add (global.get $n4) (i32.const 1)))
    (br_if $l4 (i32.rem_u (global.get $n4) (i32.const 2000))))
    (global.set $n3 (i32.add (global.get $n3) (i32.const 1)))
    (br_if $l3 (i32.rem_u (global.get $n3) (i32.const 2000))))
    (global.set $n2 (i32.add (global.get $n2) (i32.const 1)))
    (br_if $l2 (i32.rem_u (global.get $n2) (i32.const 2000))))
    (global.set $n1 (i32.add (global.get $n1) (i32.const 1)))
    (br_if $l1 (i32.rem_u (global.get $n1) (i32.const 2000))))
    (global.set $n0 (i32.add (global.get $n0) (i32.const 1)))
    (br_if $l0 (i32.rem_u (global.get $n0) (i32.const 2000))))
    (i64.const 0))
  (global $work (mut i64) (i64.const 0))
  (global $n0 (mut i32) (i32.const 0))
  (global $n1 (mut i32) (i32.const 0))
  (global $n2 (mut i32) (i32.const 0))
  (global $n3 (mut i32) (i32.const 0))
  (global $n4 (mut i32) (i32.const 0))
  (global $n5 (mut i32) (i32.const 0))
  (global $n6 (mut i32) (i32.const 0))
  (global $n7 (mut i32) (i32.const 0))
  (global $n8 (mut i32) (i32.const 0))
  (global $n9 (mut i32) (i32.const 0)))
