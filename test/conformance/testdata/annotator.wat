;; SPDX-License-Identifier: Apache-2.0
;;
;; A plugin written from docs/spec/abi.md alone: it marks each Category it is
;; called for with an annotation and reports it in a Normal event.
(module
  (import "k1s" "k1s_log" (func $log (param i32 i32 i32)))
  (import "k1s" "k1s_client_patch" (func $patch (param i32 i32) (result i64)))
  (import "k1s" "k1s_event" (func $event (param i32 i32) (result i64)))

  ;; Page 0 holds constants, page 1 and those grown later hold buffers.
  (memory (export "memory") 2)

  (data (i32.const 16) "{\"name\":\"annotator\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"}],\"runtime\":{\"abi\":1,\"minMemoryPages\":2}}")
  (func (export "k1s_metadata") (result i64)
    (call $reply (i32.const 16) (i32.const 202)))

  ;; Keys of the request.
  (data (i32.const 512) "namespace")
  (data (i32.const 528) "name")
  (data (i32.const 544) "object")

  ;; Pieces of the host requests; the JSON strings of the input go in between.
  (data (i32.const 1024) "{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\",\"namespace\":")
  (data (i32.const 1120) ",\"name\":")
  (data (i32.const 1152) ",\"patchType\":\"merge\",\"patch\":{\"metadata\":{\"annotations\":{\"conformance.k1s.io/seen\":\"yes\"}}}}")
  (data (i32.const 1280) ",\"type\":\"Normal\",\"reason\":\"Annotated\",\"message\":\"Marked as seen\",\"action\":\"Annotate\"}")
  (data (i32.const 1408) "annotating ")

  (global $next (mut i32) (i32.const 65536)) ;; the first free byte
  (global $out (mut i32) (i32.const 0))      ;; where $put writes next

  (func (export "k1s_abi_version") (result i32) (i32.const 1))

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

  (func $put (param $ptr i32) (param $len i32)
    (memory.copy (global.get $out) (local.get $ptr) (local.get $len))
    (global.set $out (i32.add (global.get $out) (local.get $len))))

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

  ;; Builds a request: who is meant, in the words of the input, and a tail.
  (func $request (param $ns i32) (param $name i32) (param $tail i32) (param $tail_len i32)
    (result i32 i32)
    (local $start i32)
    (local.set $start
      (call $alloc
        (i32.add (i32.const 256) ;; the constant pieces
          (i32.add (i32.sub (call $value_end (local.get $ns)) (local.get $ns))
                   (i32.sub (call $value_end (local.get $name)) (local.get $name))))))
    (if (i32.eqz (local.get $start)) (then (unreachable)))
    (global.set $out (local.get $start))
    (call $put (i32.const 1024) (i32.const 77))
    (call $put (local.get $ns) (i32.sub (call $value_end (local.get $ns)) (local.get $ns)))
    (call $put (i32.const 1120) (i32.const 8))
    (call $put (local.get $name) (i32.sub (call $value_end (local.get $name)) (local.get $name)))
    (call $put (local.get $tail) (local.get $tail_len))
    (local.get $start)
    (i32.sub (global.get $out) (local.get $start)))

  (func $say (param $name i32)
    (local $len i32) (local $start i32)
    (local.set $len (i32.sub (call $value_end (local.get $name)) (local.get $name)))
    (local.set $start (call $alloc (i32.add (local.get $len) (i32.const 11))))
    (if (i32.eqz (local.get $start)) (then (unreachable)))
    (global.set $out (local.get $start))
    (call $put (i32.const 1408) (i32.const 11))
    (call $put (local.get $name) (local.get $len))
    (call $log (i32.const 1) (local.get $start) (i32.sub (global.get $out) (local.get $start))))

  (func $run (param $input i32) (result i64)
    (local $ns i32) (local $name i32) (local $object i32) (local $answer i64)
    (local.set $ns (call $member (local.get $input) (i32.const 512) (i32.const 9)))
    (local.set $name (call $member (local.get $input) (i32.const 528) (i32.const 4)))
    (local.set $object (call $member (local.get $input) (i32.const 544) (i32.const 6)))
    (if (i32.eqz (local.get $object)) (then (return (i64.const 0))))
    (if (i32.eq (i32.load8_u (local.get $object)) (i32.const 0x6e)) ;; null: it is gone
      (then (return (i64.const 0))))
    (call $say (local.get $name))
    (local.set $answer
      (call $patch (call $request (local.get $ns) (local.get $name) (i32.const 1152) (i32.const 92))))
    (if (i64.ne (i64.and (local.get $answer) (i64.const 0x80000000)) (i64.const 0))
      (then (return (local.get $answer)))) ;; the host's error is ours
    (drop ;; an event that is lost is no reason to fail
      (call $event (call $request (local.get $ns) (local.get $name) (i32.const 1280) (i32.const 85))))
    (i64.const 0))

  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (call $run (local.get $ptr))
    (global.set $next (i32.const 65536)))) ;; the buffers are used again by the next call
