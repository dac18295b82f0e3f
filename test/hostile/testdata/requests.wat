;; SPDX-License-Identifier: Apache-2.0
;;
;; Gives host functions what is not its memory: the last byte of the input, a to l, picks one.
(module
  (import "k1s" "k1s_client_get" (func $get (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_list" (func $list (param i32 i32) (result i64)))
  (import "k1s" "k1s_event" (func $event (param i32 i32) (result i64)))
  (import "k1s" "k1s_log" (func $log (param i32 i32 i32)))
  (import "k1s" "k1s_random" (func $random (param i32 i32)))
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
    (call_indirect $tricks (result i64)
      (i32.sub (i32.load8_u offset=6 (local.get $ptr)) (i32.const 97))))
  (table $tricks funcref (elem $a $b $c $d $e $f $g $h $i $j $k $l))
  (func $a (result i64) (call $get (i32.const 0x12c0000) (i32.const 1)))
  (func $b (result i64) (call $get (i32.const 16) (i32.const -1)))
  (func $c (result i64) (call $list (i32.const -8) (i32.const 16)))
  (func $d (result i64) (call $event (i32.const 0) (i32.const 0x1000001)))
  (func $e (result i64) (call $log (i32.const 1) (i32.const -1) (i32.const 1)) (i64.const 0))
  (func $f (result i64) (call $log (i32.const -7) (i32.const 0) (i32.const -1)) (i64.const 0))
  (func $g (result i64) (call $random (i32.const 0x12bffff) (i32.const 2)) (i64.const 0))
  (func $h (result i64) (call $random (i32.const 0) (i32.const 65537)) (i64.const 0))
  ;; its own constants and input
  (func $i (result i64) (call $random (i32.const 16) (i32.const 5000)) (i64.const 0))
  (func $j (result i64) (call $get (i32.const 0) (i32.const 0)))
  (func $k (result i64)
    (memory.fill (i32.const 65536) (i32.const 0x5b) (i32.const 0x1000000))
    (call $get (i32.const 65536) (i32.const 0x1000000)))
  (func $l (result i64) (call $event (i32.const 16) (i32.const 113))))
