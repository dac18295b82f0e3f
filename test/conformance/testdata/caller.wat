;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest that hands what it is called with to k1s_http_request, and answers what that replies, error or not.
(module
  (import "k1s" "k1s_http_request" (func $http (param i32 i32) (result i64)))
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 65536)) ;; the first free byte; page 0 holds constants
  (data (i32.const 16) "{\"name\":\"caller\",\"version\":\"1.0.0\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64)
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 116)))
  (func (export "k1s_alloc") (param $size i32) (result i32)
    (local $ptr i32)
    (local.set $ptr (global.get $next))
    (global.set $next (i32.add (global.get $next) (local.get $size)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $next) (i32.shl (memory.size) (i32.const 16))))
      (br_if $fits (i32.ne (i32.const -1) (memory.grow
        (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16))))))
      (return (i32.const 0)))
    (local.get $ptr))
  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (call $http (local.get $ptr) (local.get $len))
    (global.set $next (i32.const 65536))))
