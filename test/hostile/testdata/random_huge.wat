;; SPDX-License-Identifier: Apache-2.0
;;
;; Asks WASI for two gigabytes of random bytes, and for 4 MiB for ever when that is rejected.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
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
    (drop (memory.grow (i32.const 63)))
    (if (i32.eqz (call $random_get (i32.const 0) (i32.const 0x7fffffff))) (then (unreachable)))
    (loop $again
      (drop (call $random_get (i32.const 0) (i32.const 0x400000)))
      (br $again))
    (unreachable)))
