;; SPDX-License-Identifier: Apache-2.0
;;
;; Exits: the last byte of the input, a to e, picks the code. The last two are those by which the engine's library says that a call was
;; canceled or ran out of time.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 113 bytes at 16
    (i64.const 0x1000000071))
  (func (export "k1s_alloc") (param $size i32) (result i32) (i32.const 4096))
  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (if (result i64) (i32.eq (local.get $len) (i32.const 4)) ;; "good"
      (then (i64.const 0))
      (else (call $trick (local.get $ptr)))))
  (func $trick (param $ptr i32) (result i64)
    (call $exit (i32.load (i32.add (i32.const 1024) (i32.shl (i32.sub (i32.load8_u offset=6 (local.get $ptr)) (i32.const 97)) (i32.const 2)))))
    (i64.const 0))
  (data (i32.const 1024) "\00\00\00\00" "\01\00\00\00" "\ff\00\00\00" "\ff\ff\ff\ff" "\ff\ff\ff\ef"))
