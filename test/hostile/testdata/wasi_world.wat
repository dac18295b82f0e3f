;; SPDX-License-Identifier: Apache-2.0
;;
;; Tries to get out: files, directories, environment, sockets. The reply is a byte for each way; all must have failed, or found nothing.
(module
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
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
    (i32.store8 (i32.const 1024) (i32.ne (i32.const 0) (call $path_open (i32.const 3) (i32.const 0) (i32.const 512) (i32.const 11) (i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 600))))
    (i32.store8 (i32.const 1025) (i32.ne (i32.const 0) (call $path_open (i32.const 0) (i32.const 0) (i32.const 512) (i32.const 11) (i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 600))))
    (i32.store8 (i32.const 1026) (i32.ne (i32.const 0) (call $prestat (i32.const 3) (i32.const 600))))
    (drop (call $environ (i32.const 600) (i32.const 604)))
    (i32.store8 (i32.const 1027) (i32.eqz (i32.load (i32.const 600))))
    (i32.store8 (i32.const 1028) (i32.ne (i32.const 0) (call $accept (i32.const 3) (i32.const 0) (i32.const 600))))
    (i64.const 0x40000000005))
  (data (i32.const 512) "/etc/passwd"))
