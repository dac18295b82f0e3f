;; SPDX-License-Identifier: Apache-2.0
;;
;; Metadata that is not in the memory.
(module
  (memory (export "memory") 1)
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "k1s_metadata") (result i64) (i64.const 0xffffff00000100))
  (func (export "reconcile") (param i32 i32) (result i64) (i64.const 0)))
