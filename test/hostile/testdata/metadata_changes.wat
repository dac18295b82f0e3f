;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls itself by another name each time it is asked, by chance.
(module
  (import "k1s" "k1s_random" (func $random (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; letters a to p for those of "hostile"
    (local $i i32)
    (call $random (i32.const 25) (i32.const 7))
    (loop $again
      (i32.store8 offset=25 (local.get $i) (i32.add (i32.const 97) (i32.and (i32.load8_u offset=25 (local.get $i)) (i32.const 15))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 7))))
    (i64.const 0x1000000071))
  (func (export "k1s_alloc") (param $size i32) (result i32) (i32.const 4096))
  (func (export "reconcile") (param i32 i32) (result i64) (i64.const 0)))
