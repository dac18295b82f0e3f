;; SPDX-License-Identifier: Apache-2.0
;;
;; Rejects any settings.
(module
  (memory (export "memory") 1)
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_alloc") (param i32) (result i32) (i32.const 4096))
  (data (i32.const 16) "{\"name\":\"test\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_metadata") (result i64) ;; 110 bytes at 16
    (i64.const 0x100000006e))
  (func (export "reconcile") (param i32 i32) (result i64) (i64.const 0))
  (data (i32.const 512) "{\"reason\":\"Invalid\",\"message\":\"threshold is too high\"}")
  (func (export "k1s_initialize") (param i32 i32) (result i64) ;; an error of 54 bytes at 512
    (i64.const 0x20080000036)))
