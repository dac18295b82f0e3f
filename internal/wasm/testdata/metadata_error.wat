;; SPDX-License-Identifier: Apache-2.0
;;
;; Answers an error in place of its metadata.
(module
  (memory (export "memory") 1)
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_alloc") (param i32) (result i32) (i32.const 4096))
  (data (i32.const 16) "{\"reason\":\"InternalError\",\"message\":\"no idea\"}")
  (func (export "k1s_metadata") (result i64) ;; an error of 46 bytes at 16
    (i64.const 0x108000002e))
  (func (export "reconcile") (param i32 i32) (result i64) (i64.const 0)))
