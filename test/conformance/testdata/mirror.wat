;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest that does, in every export, what a member of the object says: it asks the host what is in "get",
;; "patch" or "event" and replies with what that answers, replies with "error" as an error, with "reply", or with
;; the text of "raw" as it stands; "log" logs the input, "trap" traps, and without any of them it replies nothing.
(module
  (import "k1s" "k1s_log" (func $log (param i32 i32 i32)))
  (import "k1s" "k1s_client_get" (func $get (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_patch" (func $patch (param i32 i32) (result i64)))
  (import "k1s" "k1s_event" (func $event (param i32 i32) (result i64)))

  (memory (export "memory") 2)
  (data (i32.const 16) "{\"name\":\"mirror\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"reconcile\",\"finalization\",\"validation\",\"defaulting\",\"admission\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (func (export "k1s_metadata") (result i64) (call $reply (i32.const 16) (i32.const 186)))
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (global $next (mut i32) (i32.const 65536)) ;; the first free byte

  (data (i32.const 512) "object")
  (data (i32.const 528) "oldObject")
  (data (i32.const 544) "get")
  (data (i32.const 560) "patch")
  (data (i32.const 576) "event")
  (data (i32.const 592) "trap")
  (data (i32.const 608) "error")
  (data (i32.const 624) "reply")
  (data (i32.const 640) "raw")
  (data (i32.const 656) "log")

  (func $reply (param $ptr i32) (param $len i32) (result i64)
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
      (i64.extend_i32_u (local.get $len))))

  ;; Buffers are handed out one behind the other, until $reconcile is done.
  (func $alloc (export "k1s_alloc") (param $size i32) (result i32)
    (local $ptr i32)
    (local.set $ptr (global.get $next))
    (if (i64.gt_u ;; 64 bits, for the sum may pass 4 GiB
          (i64.add (i64.extend_i32_u (local.get $ptr)) (i64.extend_i32_u (local.get $size)))
          (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
      (then
        (if (i32.eq (i32.const -1)
              (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16)))))
          (then (return (i32.const 0))))))
    (global.set $next (i32.add (local.get $ptr) (local.get $size)))
    (local.get $ptr))

  (func $error (param $ptr i32) (param $len i32) (result i64)
    (call $reply (local.get $ptr) (i32.or (local.get $len) (i32.const 0x80000000))))

  (func $text (param $ptr i32) (param $len i32) (result i64) ;; without the quotes
    (call $reply (i32.add (local.get $ptr) (i32.const 1)) (i32.sub (local.get $len) (i32.const 2))))

  ;; The offset behind the JSON string whose opening quote is at $p.
  (func $string_end (param $p i32) (result i32)
    (local $c i32)
    (loop $next_char
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (local.set $c (i32.load8_u (local.get $p)))
      (if (i32.eq (local.get $c) (i32.const 0x5c)) ;; backslash: the next one counts for nothing
        (then
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (br $next_char)))
      (br_if $next_char (i32.ne (local.get $c) (i32.const 0x22))))
    (i32.add (local.get $p) (i32.const 1)))

  ;; The offset behind the JSON value at $p; it may include blanks behind a number or word.
  (func $value_end (param $p i32) (result i32)
    (local $c i32) (local $depth i32)
    (loop $again
      (local.set $c (i32.load8_u (local.get $p)))
      (if (i32.eq (local.get $c) (i32.const 0x22))
        (then
          (local.set $p (call $string_end (local.get $p)))
          (br_if $again (local.get $depth))
          (return (local.get $p))))
      (if (i32.eqz (local.get $depth)) ;; a comma or brace that belongs to the level above
        (then
          (if (i32.or
                (i32.eq (local.get $c) (i32.const 0x2c))
                (i32.eq (i32.or (local.get $c) (i32.const 0x20)) (i32.const 0x7d)))
            (then (return (local.get $p))))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (if (i32.eq (i32.or (local.get $c) (i32.const 0x20)) (i32.const 0x7b)) ;; { or [
        (then
          (local.set $depth (i32.add (local.get $depth) (i32.const 1)))
          (br $again)))
      (if (i32.eq (i32.or (local.get $c) (i32.const 0x20)) (i32.const 0x7d)) ;; } or ]
        (then
          (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
          (if (i32.eqz (local.get $depth)) (then (return (local.get $p))))))
      (br $again))
    (unreachable))

  ;; Behind blanks, and behind the colon or comma between them.
  (func $token (param $p i32) (result i32)
    (local $c i32)
    (loop $again
      (local.set $c (i32.load8_u (local.get $p)))
      (if (i32.or (i32.le_u (local.get $c) (i32.const 0x20))
                  (i32.or (i32.eq (local.get $c) (i32.const 0x2c)) (i32.eq (local.get $c) (i32.const 0x3a))))
        (then
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (br $again))))
    (local.get $p))

  (func $equal (param $a i32) (param $b i32) (param $len i32) (result i32)
    (block $differ
      (loop $again
        (if (i32.eqz (local.get $len)) (then (return (i32.const 1))))
        (br_if $differ (i32.ne (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b))))
        (local.set $a (i32.add (local.get $a) (i32.const 1)))
        (local.set $b (i32.add (local.get $b) (i32.const 1)))
        (local.set $len (i32.sub (local.get $len) (i32.const 1)))
        (br $again)))
    (i32.const 0))

  ;; Where the value of a member of the object at $p begins; 0 when there is none.
  (func $member (param $p i32) (param $key i32) (param $key_len i32) (result i32)
    (local $end i32) (local $value i32)
    (local.set $p (i32.add (call $token (local.get $p)) (i32.const 1)))
    (loop $again
      (local.set $p (call $token (local.get $p)))
      (if (i32.ne (i32.load8_u (local.get $p)) (i32.const 0x22)) (then (return (i32.const 0))))
      (local.set $end (call $string_end (local.get $p)))
      (local.set $value (call $token (local.get $end)))
      (if (i32.eq (i32.sub (i32.sub (local.get $end) (local.get $p)) (i32.const 2)) (local.get $key_len))
        (then
          (if (call $equal (i32.add (local.get $p) (i32.const 1)) (local.get $key) (local.get $key_len))
            (then (return (local.get $value))))))
      (local.set $p (call $value_end (local.get $value)))
      (br $again))
    (unreachable))

  (func $obey (param $input i32) (param $len i32) (result i64)
    (local $object i32) (local $v i32)
    (local.set $object (call $member (local.get $input) (i32.const 512) (i32.const 6)))
    (if (i32.eq (i32.load8_u (local.get $object)) (i32.const 0x6e)) ;; null: it is to be deleted
      (then (local.set $object (call $member (local.get $input) (i32.const 528) (i32.const 9)))))
    (if (call $member (local.get $object) (i32.const 656) (i32.const 3))
      (then (call $log (i32.const 1) (local.get $input) (local.get $len))))
    (if (call $member (local.get $object) (i32.const 592) (i32.const 4)) (then (unreachable)))
    (if (local.tee $v (call $member (local.get $object) (i32.const 544) (i32.const 3)))
      (then (return (call $get (local.get $v) (i32.sub (call $value_end (local.get $v)) (local.get $v))))))
    (if (local.tee $v (call $member (local.get $object) (i32.const 560) (i32.const 5)))
      (then (return (call $patch (local.get $v) (i32.sub (call $value_end (local.get $v)) (local.get $v))))))
    (if (local.tee $v (call $member (local.get $object) (i32.const 576) (i32.const 5)))
      (then (return (call $event (local.get $v) (i32.sub (call $value_end (local.get $v)) (local.get $v))))))
    (if (local.tee $v (call $member (local.get $object) (i32.const 608) (i32.const 5)))
      (then (return (call $error (local.get $v) (i32.sub (call $value_end (local.get $v)) (local.get $v))))))
    (if (local.tee $v (call $member (local.get $object) (i32.const 624) (i32.const 5)))
      (then (return (call $reply (local.get $v) (i32.sub (call $value_end (local.get $v)) (local.get $v))))))
    (if (local.tee $v (call $member (local.get $object) (i32.const 640) (i32.const 3)))
      (then (return (call $text (local.get $v) (i32.sub (call $value_end (local.get $v)) (local.get $v))))))
    (i64.const 0))

  (func $mirror (export "reconcile") (export "finalize") (export "validate_create") (export "validate_update") (export "validate_delete")
    (export "set_defaults") (export "admit") (param $ptr i32) (param $len i32) (result i64)
    (local $answer i64)
    (local.set $answer (call $obey (local.get $ptr) (local.get $len)))
    (global.set $next (i32.const 65536)) ;; nothing asks for a buffer before the reply is read
    (local.get $answer)))
