;; SPDX-License-Identifier: Apache-2.0
;;
;; Sends events for ever, each different from the one before.
(module
  (import "k1s" "k1s_event" (func $event (param i32 i32) (result i64)))
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
    (loop $again
      (i64.store offset=93 (i32.const 512) (i64.or (i64.load offset=93 (i32.const 512)) (i64.const 0x3030303030303030)))
      (i32.store8 offset=93 (i32.const 512) (i32.add (i32.const 48) (i32.rem_u (i32.add (i32.load8_u offset=93 (i32.const 512)) (i32.const 3)) (i32.const 10))))
      (drop (call $event (i32.const 512) (i32.const 105)))
      (br $again))
    (unreachable))
  (data (i32.const 512) "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"x\",\"type\":\"Normal\",\"reason\":\"Flood\",\"message\":\"0000000000\"}"))
