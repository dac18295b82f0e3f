;; SPDX-License-Identifier: Apache-2.0
;;
;; Counts its calls in a global, in memory that its data segment has set, and in memory that it has grown
;; when it was initialized; all three must agree. Its state can be copied.
(module
  (memory (export "memory") 1 10)
  (data (i32.const 0) "\64\00\00\00") ;; 100
  (global $calls (mut i32) (i32.const 0))
  (global $ready (mut i32) (i32.const 0))
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "_initialize")
    (drop (memory.grow (i32.const 2)))
    (i32.store (i32.const 131072) (i32.const 7))
    (global.set $ready (i32.const 1)))
  (func (export "k1s_initialize") (param i32 i32) (result i64)
    (if (i32.eqz (global.get $ready)) (then (unreachable)))
    (i64.const 0))
  (data (i32.const 16) "{\"name\":\"counter\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}],\"runtime\":{\"abi\":1}}")
  (func (export "k1s_metadata") (result i64)
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 134)))
  ;; Answers how many calls the instance has had, as four bytes.
  (func (export "reconcile") (param i32 i32) (result i64)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.store (i32.const 131072) (i32.add (i32.load (i32.const 131072)) (i32.const 1)))
    (if (i32.ne (i32.sub (i32.load (i32.const 0)) (i32.const 100)) (global.get $calls)) (then (unreachable)))
    (if (i32.ne (i32.sub (i32.load (i32.const 131072)) (i32.const 7)) (global.get $calls)) (then (unreachable)))
    (i32.store (i32.const 8) (global.get $calls))
    (i64.or (i64.shl (i64.const 8) (i64.const 32)) (i64.const 4))))
