;; SPDX-License-Identifier: Apache-2.0
;;
;; Metadata of an ABI to come.
(module
  (memory (export "memory") 1)
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_alloc") (param i32) (result i32) (i32.const 4096))
  (data (i32.const 16) "{\"name\":\"test\",\"version\":\"1\",\"capabilities\":[\"status_update\"],\"runtime\":{\"abi\":2}}")
  (func (export "k1s_metadata") (result i64) ;; 82 bytes at 16
    (i64.const 0x1000000052))
  (func (export "reconcile") (param i32 i32) (result i64) (i64.const 0)))
