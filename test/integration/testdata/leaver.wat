;; SPDX-License-Identifier: Apache-2.0
;;
;; A plugin that leaves a trace of each call, as a ConfigMap named after the object: seen- when it is given the object for
;; the first time and back- from then on, gone- when it is given null for the first time and again- from then on.
(module
  (import "k1s" "k1s_client_create" (func $create (param i32 i32) (result i64)))
  ;; page 0: constants; page 1: the request; page 2 and on: buffers
  (memory (export "memory") 3)
  (global $next (mut i32) (i32.const 131072))
  (global $out (mut i32) (i32.const 0))
  (data (i32.const 16) "{\"name\":\"leaver\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"}]}")
  (data (i32.const 304) "\"namespace\":\"")
  (data (i32.const 320) "\"name\":\"")
  (data (i32.const 336) "{\"object\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"namespace\":\"")
  (data (i32.const 416) "\",\"name\":\"")
  (data (i32.const 432) "\"}}}")
  (data (i32.const 448) "seen-")
  (data (i32.const 464) "back-")
  (data (i32.const 480) "gone-")
  (data (i32.const 496) "again-")
  (data (i32.const 608) "AlreadyExists")
  (data (i32.const 720) "\"object\":null")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func $reply (param $ptr i32) (param $len i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32)) (i64.extend_i32_u (local.get $len))))
  (func (export "k1s_metadata") (result i64) (call $reply (i32.const 16) (i32.const 160)))
  (func (export "k1s_alloc") (param $size i32) (result i32)
    (local $ptr i32)
    (local.set $ptr (global.get $next))
    (global.set $next (i32.add (global.get $next) (local.get $size)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $next) (i32.shl (memory.size) (i32.const 16))))
      (br_if $fits (i32.ne (i32.const -1) (memory.grow
        (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16))))))
      (return (i32.const 0)))
    (local.get $ptr))
  (func $is_error (param $reply i64) (result i32)
    (i64.ne (i64.and (local.get $reply) (i64.const 0x80000000)) (i64.const 0)))

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

  ;; The offset behind a word between $p and $end; 0 when it is not there.
  (func $find (param $p i32) (param $end i32) (param $word i32) (param $len i32) (result i32)
    (block $no
      (loop $again
        (br_if $no (i32.gt_u (i32.add (local.get $p) (local.get $len)) (local.get $end)))
        (if (call $equal (local.get $p) (local.get $word) (local.get $len))
          (then (return (i32.add (local.get $p) (local.get $len)))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br $again)))
    (i32.const 0))

  (func $put (param $ptr i32) (param $len i32)
    (memory.copy (global.get $out) (local.get $ptr) (local.get $len))
    (global.set $out (i32.add (global.get $out) (local.get $len))))

  ;; What is between $p and the next quote.
  (func $put_word (param $p i32)
    (local $end i32)
    (local.set $end (local.get $p))
    (loop $again
      (if (i32.ne (i32.load8_u (local.get $end)) (i32.const 0x22))
        (then
          (local.set $end (i32.add (local.get $end) (i32.const 1)))
          (br $again))))
    (call $put (local.get $p) (i32.sub (local.get $end) (local.get $p))))

  ;; Creates the ConfigMap of the input's object with a prefix.
  (func $trace (param $p i32) (param $end i32) (param $prefix i32) (param $len i32) (result i64)
    (global.set $out (i32.const 65536))
    (call $put (i32.const 336) (i32.const 73))
    (call $put_word (call $find (local.get $p) (local.get $end) (i32.const 304) (i32.const 13)))
    (call $put (i32.const 416) (i32.const 10))
    (call $put (local.get $prefix) (local.get $len))
    (call $put_word (call $find (local.get $p) (local.get $end) (i32.const 320) (i32.const 8)))
    (call $put (i32.const 432) (i32.const 4))
    (call $create (i32.const 65536) (i32.sub (global.get $out) (i32.const 65536))))

  ;; Whether a reply is the error that something is there already.
  (func $exists (param $reply i64) (result i32)
    (local $p i32)
    (if (i32.eqz (call $is_error (local.get $reply))) (then (return (i32.const 0))))
    (local.set $p (i32.wrap_i64 (i64.shr_u (local.get $reply) (i64.const 32))))
    (call $find (local.get $p)
      (i32.add (local.get $p) (i32.and (i32.wrap_i64 (local.get $reply)) (i32.const 0x7fffffff))) (i32.const 608) (i32.const 13)))

  ;; Leaves the first of two traces, or the second if the first is there.
  (func $either (param $p i32) (param $end i32) (param $first i32) (param $second i32) (param $len i32) (result i64)
    (local $reply i64)
    (local.set $reply (call $trace (local.get $p) (local.get $end) (local.get $first) (i32.const 5)))
    (if (i32.eqz (call $is_error (local.get $reply))) (then (return (i64.const 0))))
    (if (i32.eqz (call $exists (local.get $reply))) (then (return (local.get $reply))))
    (local.set $reply (call $trace (local.get $p) (local.get $end) (local.get $second) (local.get $len)))
    (if (i32.eqz (call $is_error (local.get $reply))) (then (return (i64.const 0))))
    (if (call $exists (local.get $reply)) (then (return (i64.const 0))))
    (local.get $reply))

  (func (export "reconcile") (param $p i32) (param $size i32) (result i64)
    (local $end i32)
    (local.set $end (i32.add (local.get $p) (local.get $size)))
    (if (call $find (local.get $p) (local.get $end) (i32.const 720) (i32.const 13))
      (then (return (call $finish (call $either (local.get $p) (local.get $end) (i32.const 480) (i32.const 496) (i32.const 6))))))
    (call $finish (call $either (local.get $p) (local.get $end) (i32.const 448) (i32.const 464) (i32.const 5))))

  ;; The buffers are used again by the next call.
  (func $finish (param $reply i64) (result i64)
    (global.set $next (i32.const 131072))
    (local.get $reply)))
