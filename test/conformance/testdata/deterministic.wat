;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest that declares itself deterministic and is not: it answers how many calls it has had, so that a
;; test sees which answers were remembered.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"name\":\"deterministic\",\"version\":\"1.0.0\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}],\"runtime\":{\"deterministic\":true}}")
  (data (i32.const 512) "{\"reason\":\"Invalid\",\"message\":\"0\"}")
  (data (i32.const 576) "{\"reason\":\"Conflict\",\"message\":\"0\"}")
  (data (i32.const 640) "{\"requeueAfterMillis\":0}")
  (global $calls (mut i32) (i32.const 48)) ;; as a digit
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) (call $reply (i32.const 16) (i32.const 156)))
  (func (export "k1s_alloc") (param $size i32) (result i32) (i32.const 4096))
  (func $reply (param $ptr i32) (param $len i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32)) (i64.extend_i32_u (local.get $len))))
  (func $count (param $at i32) ;; writes the number of calls
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (local.get $at) (global.get $calls)))
  ;; "i" denies, "c" fails, anything else is answered
  (func (export "validate_create") (param $ptr i32) (param $len i32) (result i64)
    (call $count (i32.const 543))
    (i32.store8 (i32.const 608) (global.get $calls))
    (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 0x69))
      (then (return (call $reply (i32.const 512) (i32.const 0x80000022)))))
    (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 0x63))
      (then (return (call $reply (i32.const 576) (i32.const 0x80000023)))))
    (call $reply (i32.const 543) (i32.const 1)))
  (func (export "set_defaults") (export "validate_update") (export "validate_delete") (export "admit") (param i32 i32) (result i64)
    (call $count (i32.const 543))
    (call $reply (i32.const 543) (i32.const 1)))
  (func (export "reconcile") (param i32 i32) (result i64)
    (call $count (i32.const 662))
    (call $reply (i32.const 640) (i32.const 24))))
