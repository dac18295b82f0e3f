;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest that does what its settings say. They are rules, one after another, each of them: the export (1 byte, as
;; below), what to do (1 byte), the length of a text (4 bytes, little-endian), the text, the length of a reply (4 bytes),
;; the reply. The first rule of the export whose text is in the input says what is done:
;; 0 replies; 1 answers the reply as an error; 2 traps; 3 never ends; 4 makes k1s_client_create of the reply, and answers
;; what comes of it. Without a rule the answer is empty.
(module
  (import "k1s" "k1s_client_create" (func $create (param i32 i32) (result i64)))
  (memory (export "memory") 3)
  ;; page 0: constants; page 1: the settings; page 2 and on: buffers
  (global $next (mut i32) (i32.const 131072))
  (global $end (mut i32) (i32.const 65536))
  (data (i32.const 16) "{\"name\":\"script\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"validation\",\"defaulting\",\"admission\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Item\"}]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) ;; 182 bytes at 16
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 182)))
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
  (func (export "k1s_initialize") (param $ptr i32) (param $size i32) (result i64)
    (memory.copy (i32.const 65536) (local.get $ptr) (local.get $size))
    (global.set $end (i32.add (i32.const 65536) (local.get $size)))
    (global.set $next (i32.const 131072))
    (i64.const 0))
  ;; reports whether the second text is in the first
  (func $has (param $in i32) (param $inLen i32) (param $text i32) (param $len i32) (result i32)
    (local $i i32)
    (block $no
      (loop $at
        (br_if $no (i32.gt_u (local.get $len) (local.get $inLen)))
        (local.set $i (i32.const 0))
        (block $differs
          (loop $same
            (if (i32.eq (local.get $i) (local.get $len)) (then (return (i32.const 1))))
            (br_if $differs (i32.ne
              (i32.load8_u (i32.add (local.get $in) (local.get $i)))
              (i32.load8_u (i32.add (local.get $text) (local.get $i)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $same)))
        (local.set $in (i32.add (local.get $in) (i32.const 1)))
        (local.set $inLen (i32.sub (local.get $inLen) (i32.const 1)))
        (br $at)))
    (i32.const 0))
  (func $do (param $export i32) (param $ptr i32) (param $size i32) (result i64)
    (local $rule i32) (local $text i32) (local $len i32) (local $reply i32) (local $replyLen i32) (local $what i32) (local $answer i64)
    (global.set $next (i32.const 131072)) ;; the input is read before anything else is put there
    (local.set $rule (i32.const 65536))
    (loop $rules
      (if (i32.ge_u (local.get $rule) (global.get $end)) (then (return (i64.const 0))))
      (local.set $what (i32.load8_u offset=1 (local.get $rule)))
      (local.set $len (i32.load offset=2 align=1 (local.get $rule)))
      (local.set $text (i32.add (local.get $rule) (i32.const 6)))
      (local.set $reply (i32.add (i32.add (local.get $text) (local.get $len)) (i32.const 4)))
      (local.set $replyLen (i32.load align=1 (i32.sub (local.get $reply) (i32.const 4))))
      (block $next
        (br_if $next (i32.ne (i32.load8_u (local.get $rule)) (local.get $export)))
        (br_if $next (i32.eqz (call $has (local.get $ptr) (local.get $size) (local.get $text) (local.get $len))))
        (local.set $answer (i64.or
          (i64.shl (i64.extend_i32_u (local.get $reply)) (i64.const 32))
          (i64.extend_i32_u (local.get $replyLen))))
        (if (i32.eq (local.get $what) (i32.const 1)) (then
          (return (i64.or (local.get $answer) (i64.const 0x80000000)))))
        (if (i32.eq (local.get $what) (i32.const 2)) (then (unreachable)))
        (if (i32.eq (local.get $what) (i32.const 3)) (then (loop $ever (br $ever))))
        (if (i32.eq (local.get $what) (i32.const 4)) (then
          (return (call $create (local.get $reply) (local.get $replyLen)))))
        (return (local.get $answer)))
      (local.set $rule (i32.add (local.get $reply) (local.get $replyLen)))
      (br $rules))
    (i64.const 0))
  (func (export "set_defaults") (param i32 i32) (result i64) (call $do (i32.const 1) (local.get 0) (local.get 1)))
  (func (export "validate_create") (param i32 i32) (result i64) (call $do (i32.const 2) (local.get 0) (local.get 1)))
  (func (export "validate_update") (param i32 i32) (result i64) (call $do (i32.const 3) (local.get 0) (local.get 1)))
  (func (export "validate_delete") (param i32 i32) (result i64) (call $do (i32.const 4) (local.get 0) (local.get 1)))
  (func (export "admit") (param i32 i32) (result i64) (call $do (i32.const 5) (local.get 0) (local.get 1))))
