;; SPDX-License-Identifier: Apache-2.0
;;
;; Replies to admission requests, and to requests to finalize, with invalid replies: the name of the object is "good" or
;; "trick-" and a letter. Its memory has 300 pages.
(module
  (import "k1s" "k1s_client_create" (func $create (param i32 i32) (result i64)))
  (memory (export "memory") 300)
  (data (i32.const 16) "{\"name\":\"hostile\",\"version\":\"1\",\"capabilities\":[\"finalization\",\"validation\",\"defaulting\",\"admission\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 154 bytes at 16
    (i64.const 0x100000009a))
  (func (export "k1s_alloc") (param $size i32) (result i32) (i32.const 4096))
  (func (export "finalize") (export "validate_create") (export "set_defaults") (export "admit") (param $ptr i32) (param $len i32) (result i64)
    ;; the name begins behind {"apiVersion":"","kind":"","name":"
    (if (result i64) (i32.eq (i32.load8_u offset=35 (local.get $ptr)) (i32.const 0x67)) ;; "good"
      (then (i64.const 0))
      (else (call_indirect $tricks (result i64)
        (i32.sub (i32.load8_u offset=41 (local.get $ptr)) (i32.const 97))))))
  (table $tricks funcref (elem $a $b $c $d $e $f $g $h $i))
  (data (i32.const 1024) "{\"warnings\":[\"")
  (data (i32.const 1056) "\"]}")
  (data (i32.const 1072) "\"x\"")
  (data (i32.const 1088) "{\"object\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}}")
  (data (i32.const 1216) "{\"requeueAfterMillis\":-1}")
  (data (i32.const 1248) "{\"warnings\":[\"\ff\fe\\u0007\\u001b[2J\\n\"]}")
  ;; a warning of 16 MiB
  (func $a (result i64)
    (memory.fill (i32.const 65536) (i32.const 0x77) (i32.const 16777216))
    (memory.copy (i32.const 65536) (i32.const 1024) (i32.const 14))
    (memory.copy (i32.const 16842749) (i32.const 1056) (i32.const 3))
    (i64.const 0x1000001000000))
  ;; a million warnings
  (func $b (result i64) (local $i i32)
    (memory.copy (i32.const 65536) (i32.const 1024) (i32.const 13))
    (loop $again
      (i32.store offset=65549 (i32.shl (local.get $i) (i32.const 2)) (i32.const 0x2c226122)) ;; "a",
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
    (i32.store16 offset=65549 (i32.const 3999999) (i32.const 0x7d5d)) ;; ]}
    (i64.const 0x10000003d090e))
  ;; nothing, without end
  (func $c (result i64) (loop $again (br $again)) (i64.const 0))
  ;; JSON that nests a million deep
  (func $d (result i64)
    (memory.fill (i32.const 65536) (i32.const 0x5b) (i32.const 1000000))
    (i64.const 0x10000000f4240))
  ;; neither an object nor an array
  (func $e (result i64) (i64.const 0x43000000003))
  ;; a JSON patch of a million operations
  (func $f (result i64) (local $i i32)
    (i32.store8 (i32.const 65536) (i32.const 0x5b))
    (loop $again
      (i32.store offset=65537 (i32.mul (local.get $i) (i32.const 3)) (i32.const 0x2c7d7b)) ;; {},
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
    (i32.store8 offset=65536 (i32.const 3000000) (i32.const 0x5d))
    (i64.const 0x10000002dc6c1))
  ;; writes, without end
  (func $g (result i64) (loop $again (drop (call $create (i32.const 1088) (i32.const 73))) (br $again)) (i64.const 0))
  ;; a negative time
  (func $h (result i64) (i64.const 0x4c000000019))
  ;; a warning that is no text
  (func $i (result i64) (i64.const 0x4e000000024)))
