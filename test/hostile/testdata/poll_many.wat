;; SPDX-License-Identifier: Apache-2.0
;;
;; Polls 50,000 subscriptions of an hour each.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
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
    (local $at i32)
    (drop (memory.grow (i32.const 63)))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))
    (loop $again
      (i32.store offset=16 (local.get $at) (i32.const 1))
      (i64.store offset=24 (local.get $at) (i64.const 3_600_000_000_000))
      (local.set $at (i32.add (local.get $at) (i32.const 48)))
      (br_if $again (i32.lt_u (local.get $at) (i32.const 2400000))))
    (drop (call $poll (i32.const 0) (i32.const 2500000) (i32.const 50000) (i32.const 4194300)))
    (i64.const 0)))
