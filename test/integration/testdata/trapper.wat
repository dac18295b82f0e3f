;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest that traps whatever it is called for.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"name\":\"trapper\",\"version\":\"2.0.0\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 144 bytes at 16
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 144)))
  (func (export "k1s_alloc") (param $size i32) (result i32) (i32.const 4096))
  (func (export "reconcile") (param i32 i32) (result i64) (unreachable)))
