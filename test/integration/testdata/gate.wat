;; SPDX-License-Identifier: Apache-2.0
;;
;; A plugin that requests wait for: Items with the word REJECT in them are denied, and those without a category
;; get the category "gated". It searches its input for words instead of parsing it.
(module
  (memory (export "memory") 3)
  (global $next (mut i32) (i32.const 131072))
  (data (i32.const 16) "{\"name\":\"gate\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"validation\",\"defaulting\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Item\"}]}")
  (data (i32.const 304) "[{\"op\":\"add\",\"path\":\"/spec/category\",\"value\":\"gated\"}]")
  (data (i32.const 400) "{\"reason\":\"Invalid\",\"code\":422,\"message\":\"the gate is shut for REJECT\"}")
  (data (i32.const 512) "REJECT")
  (data (i32.const 528) "\"category\":\"")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func $reply (param $ptr i32) (param $len i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32)) (i64.extend_i32_u (local.get $len))))
  (func (export "k1s_metadata") (result i64) (call $reply (i32.const 16) (i32.const 168)))
  ;; One buffer is enough: the input of the call that runs.
  (func (export "k1s_alloc") (param $size i32) (result i32)
    (local $missing i32)
    (local.set $missing (i32.sub (i32.add (global.get $next) (local.get $size)) (i32.shl (memory.size) (i32.const 16))))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $missing) (i32.const 16)))))
        (then (return (i32.const 0))))))
    (global.get $next))
  (func $equal (param $a i32) (param $b i32) (param $len i32) (result i32)
    (block $differ
      (loop $again
        (if (i32.eqz (local.get $len)) (then (return (i32.const 1))))
        (br_if $differ (i32.ne (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b))))
        (local.set $a (i32.add (local.get $a) (i32.const 1)))
        (local.set $b (i32.add (local.get $b) (i32.const 1)))
        (local.set $len (i32.sub (local.get $len) (i32.const 1)))
        (br $again)))
    (i32.const 0))
  ;; Whether a word is in the $size bytes at $p.
  (func $has (param $p i32) (param $size i32) (param $word i32) (param $len i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $p) (local.get $size)))
    (block $no
      (loop $again
        (br_if $no (i32.gt_u (i32.add (local.get $p) (local.get $len)) (local.get $end)))
        (if (call $equal (local.get $p) (local.get $word) (local.get $len)) (then (return (i32.const 1))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br $again)))
    (i32.const 0))
  (func $validate (param $ptr i32) (param $len i32) (result i64)
    (if (call $has (local.get $ptr) (local.get $len) (i32.const 512) (i32.const 6))
      (then (return (i64.or (i64.const 0x80000000) (call $reply (i32.const 400) (i32.const 71))))))
    (i64.const 0))
  (export "validate_create" (func $validate))
  (export "validate_update" (func $validate))
  (func (export "set_defaults") (param $ptr i32) (param $len i32) (result i64)
    (if (call $has (local.get $ptr) (local.get $len) (i32.const 528) (i32.const 12))
      (then (return (i64.const 0))))
    (call $reply (i32.const 304) (i32.const 54))))
