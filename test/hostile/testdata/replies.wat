;; SPDX-License-Identifier: Apache-2.0
;;
;; Replies with what is no reply: the last byte of the input, a to r, picks one. Its memory has 300 pages.
(module
  (memory (export "memory") 300)
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
    (memory.fill (i32.const 65536) (i32.const 0x5b) (i32.const 1000000)) ;; [[[[…
    (call_indirect $tricks (result i64)
      (i32.sub (i32.load8_u offset=6 (local.get $ptr)) (i32.const 97))))
  (table $tricks funcref (elem $a $b $c $d $e $f $g $h $i $j $k $l $m $n $o $p $q $r))
  (data (i32.const 1024) "not JSON")
  (data (i32.const 1040) "{\"requeueAfterMillis\":\"\ff\fe\"}")
  (data (i32.const 1088) "{\"requeueAfterMillis\":1e400}")
  (data (i32.const 1120) "{} {}")
  (data (i32.const 1136) "{\"requeueAfterMillis\":-1}")
  (data (i32.const 1168) "{\"requeue\":1}")
  (data (i32.const 1200) "{\"message\":\"\ff\\u0000\\n\"}")
  (data (i32.const 1232) "\ff\fe{}")
  ;; behind the memory
  (func $a (result i64) (i64.const 0x12c000000000001))
  ;; over its end by one byte
  (func $b (result i64) (i64.const 0x12bffff00000002))
  ;; two gigabytes
  (func $c (result i64) (i64.const 0x107fffffff))
  ;; an error of two gigabytes
  (func $d (result i64) (i64.const 0x10ffffffff))
  ;; one byte too many
  (func $e (result i64) (i64.const 0x1000001000001))
  ;; around the end of the address space
  (func $f (result i64) (i64.const 0xffffffff00000002))
  (func $g (result i64) (i64.const -1))
  ;; what lies at 0
  (func $h (result i64) (i64.const 0xa))
  ;; not JSON
  (func $i (result i64) (i64.const 0x40000000008))
  ;; not UTF-8 in a string that should be a number
  (func $j (result i64) (i64.const 0x4100000001b))
  ;; a number that no type holds
  (func $k (result i64) (i64.const 0x4400000001c))
  ;; two values
  (func $l (result i64) (i64.const 0x46000000005))
  ;; a negative time
  (func $m (result i64) (i64.const 0x47000000019))
  ;; an unknown member
  (func $n (result i64) (i64.const 0x4900000000d))
  ;; JSON that nests a million deep
  (func $o (result i64) (i64.const 0x10000000f4240))
  ;; the same as an error
  (func $p (result i64) (i64.const 0x10000800f4240))
  ;; an error without bytes
  (func $q (result i64) (i64.const 0x780000000))
  ;; an error whose message is no text
  (func $r (result i64) (i64.const 0x4b080000017)))
