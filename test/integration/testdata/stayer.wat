;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest whose settings are an Event: for every Category it emits the Event, and then sleeps until it is stopped.
(module
  (import "k1s" "k1s_event" (func $event (param i32 i32) (result i64)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  ;; page 0: constants; page 1: the settings; page 2 and on: buffers
  (memory (export "memory") 3)
  (global $next (mut i32) (i32.const 131072))
  (global $len (mut i32) (i32.const 0))
  (data (i32.const 16) "{\"name\":\"stayer\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64)
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 160)))
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
  (func (export "k1s_initialize") (param $ptr i32) (param $size i32) (result i64)
    (memory.copy (i32.const 65536) (local.get $ptr) (local.get $size))
    (global.set $len (local.get $size))
    (global.set $next (i32.const 131072))
    (i64.const 0))
  (func (export "reconcile") (param $ptr i32) (param $size i32) (result i64)
    (drop (call $event (i32.const 65536) (global.get $len)))
    (loop $again
      (i64.store (i32.const 4024) (i64.const 0x7ffffffffffffff))
      (drop (call $poll (i32.const 4000) (i32.const 8024) (i32.const 1) (i32.const 12048)))
      (br $again))
    (unreachable)))
