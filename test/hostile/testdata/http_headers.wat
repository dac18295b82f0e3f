;; SPDX-License-Identifier: Apache-2.0
;;
;; Asks for HTTP requests with 1.5 million headers, for ever: {"method":"GET","url":…,"headers":{"bbbbb":"",…}}.
(module
  (import "k1s" "k1s_http_request" (func $http (param i32 i32) (result i64)))
  (memory (export "memory") 400)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 113 bytes at 16
    (i64.const 0x1000000071))
  (func (export "k1s_alloc") (param $size i32) (result i32) (i32.const 65536))
  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (if (result i64) (i32.eq (local.get $len) (i32.const 4)) ;; "good"
      (then (i64.const 0))
      (else (call $trick (local.get $ptr)))))
  (func $trick (param $ptr i32) (result i64)
    (local $at i32) (local $n i32)
    (memory.copy (i32.const 131072) (i32.const 4096) (i32.const 54))
    (local.set $at (i32.const 131126))
    (loop $header ;; "xxxxx":"", of 11 bytes, with four bits of a counter in each letter
      (i64.store (local.get $at) (i64.const 0x3a22_6161_6161_6122))
      (i32.store offset=7 (local.get $at) (i32.const 0x2c22223a))
      (i32.store8 offset=1 (local.get $at) (i32.add (i32.const 97) (i32.and (local.get $n) (i32.const 15))))
      (i32.store8 offset=2 (local.get $at) (i32.add (i32.const 97) (i32.and (i32.shr_u (local.get $n) (i32.const 4)) (i32.const 15))))
      (i32.store8 offset=3 (local.get $at) (i32.add (i32.const 97) (i32.and (i32.shr_u (local.get $n) (i32.const 8)) (i32.const 15))))
      (i32.store8 offset=4 (local.get $at) (i32.add (i32.const 97) (i32.and (i32.shr_u (local.get $n) (i32.const 12)) (i32.const 15))))
      (i32.store8 offset=5 (local.get $at) (i32.add (i32.const 97) (i32.shr_u (local.get $n) (i32.const 16))))
      (local.set $at (i32.add (local.get $at) (i32.const 11)))
      (br_if $header (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1500000))))
    (i32.store16 (i32.sub (local.get $at) (i32.const 1)) (i32.const 0x7d7d)) ;; over the last comma
    (local.set $at (i32.sub (i32.add (local.get $at) (i32.const 1)) (i32.const 131072)))
    (loop $again
      ;; what is larger than the largest request is not read, so a part of it is tried too
      (drop (call $http (i32.const 131072) (local.get $at)))
      (drop (call $http (i32.const 131072) (i32.const 8000000)))
      (br $again))
    (unreachable))
  (data (i32.const 4096) "{\"method\":\"GET\",\"url\":\"https://a.example/\",\"headers\":{"))
