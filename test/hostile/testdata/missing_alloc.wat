;; SPDX-License-Identifier: Apache-2.0
;;
;; Has no k1s_alloc.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 113 bytes at 16
    (i64.const 0x1000000071))
  (func (export "reconcile") (param i32 i32) (result i64) (i64.const 0)))
