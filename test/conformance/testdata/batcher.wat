;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest that takes batches. Alone an object is wanted again after 5 ms, in a batch after 7, so that a
;; test sees which it was. The word "broken" in the input makes it trap, "reject" makes it answer an
;; error in a batch, "short" forget a result, and "hold" ask the host for something first.
(module
  (import "k1s" "k1s_client_get" (func $get (param i32 i32) (result i64)))

  ;; Page 0 holds constants, page 1 replies, the pages behind it input.
  (memory (export "memory") 4)
  (data (i32.const 16) "{\"name\":\"batcher\",\"version\":\"1.0.0\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}],\"runtime\":{\"maxBatch\":8}}")
  (data (i32.const 512) "broken")
  (data (i32.const 528) "reject")
  (data (i32.const 544) "short")
  (data (i32.const 560) "hold")
  (data (i32.const 576) "\"attempt\":")
  (data (i32.const 640) "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"namespace\":\"a\",\"name\":\"a\"}")
  (data (i32.const 768) "{\"requeueAfterMillis\":5}")
  (data (i32.const 800) "{\"requeueAfterMillis\":7}")
  (data (i32.const 832) "{\"error\":{\"reason\":\"Invalid\",\"message\":\"invalid\"}}")
  (data (i32.const 896) "{\"results\":[")
  (data (i32.const 912) ",")
  (data (i32.const 914) "]}")

  (global $next (mut i32) (i32.const 131072)) ;; the first free byte
  (global $out (mut i32) (i32.const 65536))   ;; where $put writes next

  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) (call $reply (i32.const 16) (i32.const 142)))
  (func (export "k1s_alloc") (param $size i32) (result i32)
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get $size))))

  (func $reply (param $ptr i32) (param $len i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32)) (i64.extend_i32_u (local.get $len))))
  (func $put (param $ptr i32) (param $len i32)
    (memory.copy (global.get $out) (local.get $ptr) (local.get $len))
    (global.set $out (i32.add (global.get $out) (local.get $len))))

  ;; The offset behind the first occurrence of a word, or 0.
  (func $find (param $from i32) (param $end i32) (param $word i32) (param $len i32) (result i32)
    (local $i i32)
    (loop $at
      (if (i32.gt_u (i32.add (local.get $from) (local.get $len)) (local.get $end)) (then (return (i32.const 0))))
      (local.set $i (i32.const 0))
      (block $differs
        (loop $same
          (br_if $differs (i32.ne
            (i32.load8_u (i32.add (local.get $from) (local.get $i)))
            (i32.load8_u (i32.add (local.get $word) (local.get $i)))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $same (i32.lt_u (local.get $i) (local.get $len))))
        (return (i32.add (local.get $from) (local.get $len))))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br $at))
    (unreachable))

  (func $bear (param $ptr i32) (param $end i32)
    (if (call $find (local.get $ptr) (local.get $end) (i32.const 512) (i32.const 6)) (then (unreachable)))
    (if (call $find (local.get $ptr) (local.get $end) (i32.const 560) (i32.const 4))
      (then (drop (call $get (i32.const 640) (i32.const 65))))))

  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (call $bear (local.get $ptr) (i32.add (local.get $ptr) (local.get $len)))
    (global.set $next (i32.const 131072))
    (call $reply (i32.const 768) (i32.const 24)))

  ;; Each request ends with its attempt, so that there are as many of the one as of the other.
  (func (export "reconcile_batch") (param $ptr i32) (param $len i32) (result i64)
    (local $end i32) (local $behind i32) (local $first i32)
    (local.set $end (i32.add (local.get $ptr) (local.get $len)))
    (call $bear (local.get $ptr) (local.get $end))
    (global.set $out (i32.const 65536))
    (call $put (i32.const 896) (i32.const 12))
    (local.set $first (i32.const 1))
    (if (call $find (local.get $ptr) (local.get $end) (i32.const 544) (i32.const 5))
      (then (local.set $ptr (call $find (local.get $ptr) (local.get $end) (i32.const 576) (i32.const 10)))))
    (block $done
      (loop $each
        (local.set $behind (call $find (local.get $ptr) (local.get $end) (i32.const 576) (i32.const 10)))
        (br_if $done (i32.eqz (local.get $behind)))
        (if (i32.eqz (local.get $first)) (then (call $put (i32.const 912) (i32.const 1))))
        (local.set $first (i32.const 0))
        (if (call $find (local.get $ptr) (local.get $behind) (i32.const 528) (i32.const 6))
          (then (call $put (i32.const 832) (i32.const 50)))
          (else (call $put (i32.const 800) (i32.const 24))))
        (local.set $ptr (local.get $behind))
        (br $each)))
    (call $put (i32.const 914) (i32.const 2))
    (global.set $next (i32.const 131072))
    (call $reply (i32.const 65536) (i32.sub (global.get $out) (i32.const 65536)))))
