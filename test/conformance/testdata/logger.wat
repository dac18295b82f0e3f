;; SPDX-License-Identifier: Apache-2.0
;;
;; The example of docs/spec/abi.md; a test holds the two together.
(module
  (import "k1s" "k1s_log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 65536))           ;; page 1 is for buffers, page 0 for constants
  (data (i32.const 16) "{\"name\":\"logger\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64)
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 160)))
  (func (export "k1s_alloc") (param $size i32) (result i32)
    (local $ptr i32)
    (local.set $ptr (global.get $next))                ;; a size is at most 16 MiB: the sum does not overflow
    (global.set $next (i32.add (global.get $next) (local.get $size)))
    (block $fits                                       ;; grow when the buffer ends behind the memory
      (br_if $fits (i32.le_u (global.get $next) (i32.shl (memory.size) (i32.const 16))))
      (br_if $fits (i32.ne (i32.const -1) (memory.grow
        (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16))))))
      (return (i32.const 0)))
    (local.get $ptr))
  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (call $log (i32.const 1) (local.get $ptr) (local.get $len))
    (global.set $next (i32.const 65536))               ;; the next call may reuse the buffers
    (i64.const 0)))
