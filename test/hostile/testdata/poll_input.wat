;; SPDX-License-Identifier: Apache-2.0
;;
;; Waits for standard input to have something to read, for ever.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
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
    (i32.store8 (i32.const 1032) (i32.const 1)) ;; read, of descriptor 0
    (loop $again
      (drop (call $poll (i32.const 1024) (i32.const 1080) (i32.const 1) (i32.const 1112)))
      (i32.store (i32.const 2048) (i32.const 3000)) (i32.store (i32.const 2052) (i32.const 100))
      (drop (call $fd_read (i32.const 0) (i32.const 2048) (i32.const 1) (i32.const 2056)))
      (br $again))
    (unreachable)))
