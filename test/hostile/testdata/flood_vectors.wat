;; SPDX-License-Identifier: Apache-2.0
;;
;; fd_write of 1,000 vectors, each of which is 4 MiB of line feeds, for ever: gigabytes in one host function.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
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
    (local $at i32)
    (drop (memory.grow (i32.const 63)))
    (memory.fill (i32.const 2097152) (i32.const 10) (i32.const 2097152))
    (loop $again ;; the vectors lie from 65536 on: pointer, length
      (i32.store offset=65536 (local.get $at) (i32.const 0))
      (i32.store offset=65540 (local.get $at) (i32.const 0x400000))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $again (i32.lt_u (local.get $at) (i32.const 8000))))
    (loop $ever
      (drop (call $fd_write (i32.const 2) (i32.const 65536) (i32.const 1000) (i32.const 1024)))
      (br $ever))
    (unreachable)))
