;; SPDX-License-Identifier: Apache-2.0
;;
;; Answers with an error of 16 MiB: a Status whose details have five million causes.
(module
  (memory (export "memory") 300)
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
    (local $n i32)
    (memory.copy (i32.const 1048576) (i32.const 4096) (i32.const 55))
    (memory.copy (i32.const 1048631) (i32.const 4160) (i32.const 3))
    (local.set $n (i32.const 3))
    (loop $double
      (memory.copy (i32.add (i32.const 1048631) (local.get $n)) (i32.const 1048631) (local.get $n))
      (local.set $n (i32.shl (local.get $n) (i32.const 1)))
      (br_if $double (i32.lt_u (local.get $n) (i32.const 8388577))))
    (memory.copy (i32.add (i32.const 1048631) (local.get $n)) (i32.const 1048631) (i32.sub (i32.const 16777155) (local.get $n)))
    (memory.copy (i32.const 17825786) (i32.const 4164) (i32.const 5))
    (i64.const 0x10000081000000)) ;; an error of 16 MiB at 1 MiB
  (data (i32.const 4096) "{\"message\":\"x\",\"reason\":\"Invalid\",\"details\":{\"causes\":[")
  (data (i32.const 4160) "{},")
  (data (i32.const 4164) "{}]}}"))
