;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest that does what the object it is called for tells it to. An annotation of the object holds
;;
;;   ~trick:IIIIFNNNNHH…"
;;
;; four characters that name the trick, the host function as a letter from a on, four hex digits for how often it is
;; called, and the request in hex. Four # in the request are replaced by the number of the call. What the last call
;; replied goes to the log: the name, E or O for an error or none, and the reply. In an admission
;; request it does the trick too, and denies the request.
(module
  (import "k1s" "k1s_client_get" (func $get (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_list" (func $list (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_create" (func $create (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_update" (func $update (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_patch" (func $patch (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_apply" (func $apply (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_delete" (func $delete (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_update_status" (func $update_status (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_patch_status" (func $patch_status (param i32 i32) (result i64)))
  (import "k1s" "k1s_event" (func $event (param i32 i32) (result i64)))
  (import "k1s" "k1s_http_request" (func $http (param i32 i32) (result i64)))
  (import "k1s" "k1s_log" (func $log (param i32 i32 i32)))

  (type $call (func (param i32 i32) (result i64)))
  (table funcref (elem $get $list $create $update $patch $apply $delete $update_status $patch_status $event $http))

  (memory (export "memory") 2)
  (data (i32.const 16) "{\"name\":\"trickster\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"reconcile\",\"status_update\",\"validation\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Item\"},{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"},{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"},{\"apiVersion\":\"v1\",\"kind\":\"Secret\"}]}")
  (data (i32.const 512) "~trick:")
  (data (i32.const 520) "{\"reason\":\"Forbidden\",\"message\":\"nobody may\"}")

  (global $next (mut i32) (i32.const 65536)) ;; the first free byte; page 0 holds constants

  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64)
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 329)))

  (func $alloc (export "k1s_alloc") (param $size i32) (result i32)
    (local $ptr i32)
    (local.set $ptr (global.get $next))
    (global.set $next (i32.add (global.get $next) (local.get $size)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $next) (i32.shl (memory.size) (i32.const 16))))
      (br_if $fits (i32.ne (i32.const -1) (memory.grow
        (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16))))))
      (return (i32.const 0)))
    (local.get $ptr))

  ;; Where what follows the marker begins; 0 if there is none.
  (func $find (param $p i32) (param $end i32) (result i32)
    (local $i i32)
    (block $none
      (loop $again
        (br_if $none (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $i (i32.const 0))
        (loop $same
          (if (i32.eq (local.get $i) (i32.const 7))
            (then (return (i32.add (local.get $p) (i32.const 7)))))
          (if (i32.eq (i32.load8_u (i32.add (local.get $p) (local.get $i)))
                      (i32.load8_u offset=512 (local.get $i)))
            (then
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br $same))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br $again)))
    (i32.const 0))

  ;; The value of a hex digit.
  (func $digit (param $c i32) (result i32)
    (i32.sub (local.get $c)
      (select (i32.const 87) (i32.const 48) (i32.ge_u (local.get $c) (i32.const 97)))))
  (func $byte (param $p i32) (result i32)
    (i32.or (i32.shl (call $digit (i32.load8_u (local.get $p))) (i32.const 4))
            (call $digit (i32.load8_u offset=1 (local.get $p)))))

  ;; Writes a number as four letters.
  (func $number (param $p i32) (param $n i32)
    (local $i i32)
    (loop $again
      (i32.store8 (i32.add (local.get $p) (local.get $i))
        (i32.add (i32.const 97) (i32.and (i32.const 15)
          (i32.shr_u (local.get $n) (i32.shl (local.get $i) (i32.const 2))))))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))))

  (func $run (param $p i32) (param $end i32)
    (local $request i32) (local $len i32) (local $place i32) (local $mark i32)
    (local $n i32) (local $reply i64) (local $text i32)
    (local.set $p (call $find (local.get $p) (local.get $end)))
    (if (i32.eqz (local.get $p)) (then (return)))
    (local.set $n (i32.or (i32.shl (call $byte (i32.add (local.get $p) (i32.const 5))) (i32.const 8))
                          (call $byte (i32.add (local.get $p) (i32.const 7)))))
    (local.set $request (call $alloc (i32.sub (local.get $end) (local.get $p))))
    (loop $decode
      (if (i32.ne (i32.load8_u offset=9 (i32.add (local.get $p) (i32.shl (local.get $len) (i32.const 1)))) (i32.const 0x22))
        (then
          (i32.store8 (i32.add (local.get $request) (local.get $len))
            (call $byte (i32.add (i32.const 9) (i32.add (local.get $p) (i32.shl (local.get $len) (i32.const 1))))))
          (local.set $len (i32.add (local.get $len) (i32.const 1)))
          (if (i32.eq (i32.load align=1 (i32.sub (i32.add (local.get $request) (local.get $len)) (i32.const 4))) (i32.const 0x23232323))
            (then (local.set $place (i32.sub (i32.add (local.get $request) (local.get $len)) (i32.const 4)))))
          (br $decode))))
    (local.set $mark (global.get $next))
    (loop $again
      (global.set $next (local.get $mark)) ;; over the reply before
      (if (local.get $place) (then (call $number (local.get $place) (local.get $n))))
      (local.set $reply (call_indirect (type $call) (local.get $request) (local.get $len)
        (i32.sub (i32.load8_u offset=4 (local.get $p)) (i32.const 97))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.set $len (i32.and (i32.wrap_i64 (local.get $reply)) (i32.const 0x7fffffff)))
    (if (i32.gt_u (local.get $len) (i32.const 4096)) (then (local.set $len (i32.const 4096))))
    (local.set $text (call $alloc (i32.const 8192)))
    (memory.copy (local.get $text) (local.get $p) (i32.const 4))
    (i32.store8 offset=4 (local.get $text)
      (select (i32.const 69) (i32.const 79) (i64.ne (i64.const 0) (i64.and (local.get $reply) (i64.const 0x80000000)))))
    (memory.copy (i32.add (local.get $text) (i32.const 5))
      (i32.wrap_i64 (i64.shr_u (local.get $reply) (i64.const 32))) (local.get $len))
    (call $log (i32.const 1) (local.get $text) (i32.add (local.get $len) (i32.const 5))))

  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (call $run (local.get $ptr) (i32.add (local.get $ptr) (local.get $len)))
    (global.set $next (i32.const 65536)) ;; the buffers are used again by the next call
    (i64.const 0))
  (func $deny (param $ptr i32) (param $len i32) (result i64)
    (call $run (local.get $ptr) (i32.add (local.get $ptr) (local.get $len)))
    (global.set $next (i32.const 65536))
    (i64.or (i64.shl (i64.const 520) (i64.const 32)) (i64.const 0x8000002d)))
  (export "validate_create" (func $deny))
  (export "validate_update" (func $deny))
  (export "validate_delete" (func $deny)))
