;; SPDX-License-Identifier: Apache-2.0
;;
;; Changes its tables and a global that holds a reference, drops its segments, and traps. A good call traps unless all is as it was.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 113 bytes at 16
    (i64.const 0x1000000071))
  (func (export "k1s_alloc") (param $size i32) (result i32) (i32.const 4096))
  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (if (i32.eq (local.get $len) (i32.const 4)) ;; "good"
      (then (call $check))
      (else (drop (call $trick (local.get $ptr)))))
    (i64.const 0))
  (func $trick (param $ptr i32) (result i64)
    (table.set $t (i32.const 0) (ref.func $other))
    (drop (table.grow $t (ref.null func) (i32.const 5)))
    (global.set $held (ref.func $other))
    (elem.drop $passive)
    (data.drop $bytes)
    (unreachable))
  (type $number (func (result i32)))
  (table $t 2 funcref)
  (elem (table $t) (i32.const 0) func $one $one)
  (elem $passive func $one)
  (elem declare func $other)
  (data $bytes "abcd")
  (global $held (mut funcref) (ref.null func))
  (func $one (type $number) (i32.const 1))
  (func $other (type $number) (i32.const 2))
  (func $check
    (if (i32.ne (table.size $t) (i32.const 2)) (then (unreachable)))
    (if (i32.ne (call_indirect $t (type $number) (i32.const 0)) (i32.const 1)) (then (unreachable)))
    (if (i32.eqz (ref.is_null (global.get $held))) (then (unreachable)))
    (table.init $t $passive (i32.const 1) (i32.const 0) (i32.const 1))
    (memory.init $bytes (i32.const 1024) (i32.const 0) (i32.const 4))
    (if (i32.ne (i32.load (i32.const 1024)) (i32.const 0x64636261)) (then (unreachable)))))
