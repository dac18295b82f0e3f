;; SPDX-License-Identifier: Apache-2.0
;;
;; A plugin that says in an annotation of each Category which generation it saw last, and which version of
;; the plugin that was: "1.0000/7". The soak test writes other versions over the one in the metadata.
;; It searches its input for members instead of parsing it: the order of the host's own is known here.
(module
  (import "k1s" "k1s_client_patch" (func $patch (param i32 i32) (result i64)))

  ;; Page 0 holds constants and the request; page 1 and those grown later hold buffers.
  (memory (export "memory") 2)
  (data (i32.const 16) "{\"name\":\"soaker\",\"version\":\"1.0000\",\"language\":\"wat\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"}]}")
  (data (i32.const 512) "{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\",\"namespace\":\"")
  (data (i32.const 640) "\",\"name\":\"")
  (data (i32.const 704) "\",\"patchType\":\"merge\",\"patch\":{\"metadata\":{\"annotations\":{\"soak.k1s.io/seen\":\"")
  (data (i32.const 800) "/")
  (data (i32.const 816) "\"}}}}")
  (data (i32.const 896) "\"namespace\":\"")
  (data (i32.const 928) "\"name\":\"")
  (data (i32.const 960) "\"generation\":")

  (global $next (mut i32) (i32.const 65536)) ;; the first free byte
  (global $in (mut i32) (i32.const 0))       ;; the input
  (global $end (mut i32) (i32.const 0))      ;; behind it
  (global $out (mut i32) (i32.const 0))      ;; where $put writes next

  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64)
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 161)))
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

  (func $put (param $ptr i32) (param $len i32)
    (memory.copy (global.get $out) (local.get $ptr) (local.get $len))
    (global.set $out (i32.add (global.get $out) (local.get $len))))

  ;; Writes what follows a text in the input, up to a quotation mark, comma or brace; reports whether it is there.
  (func $put_after (param $text i32) (param $len i32) (result i32)
    (local $at i32) (local $i i32) (local $c i32)
    (local.set $at (global.get $in))
    (block $none
      (loop $search
        (br_if $none (i32.gt_u (i32.add (local.get $at) (local.get $len)) (global.get $end)))
        (local.set $i (i32.const 0))
        (block $differs
          (loop $same
            (br_if $differs (i32.ne
              (i32.load8_u (i32.add (local.get $at) (local.get $i)))
              (i32.load8_u (i32.add (local.get $text) (local.get $i)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $same (i32.lt_u (local.get $i) (local.get $len))))
          (local.set $at (i32.add (local.get $at) (local.get $len)))
          (block $done
            (loop $byte
              (local.set $c (i32.load8_u (local.get $at)))
              (br_if $done (i32.eq (local.get $c) (i32.const 0x22)))
              (br_if $done (i32.eq (local.get $c) (i32.const 0x2c)))
              (br_if $done (i32.eq (local.get $c) (i32.const 0x7d)))
              (call $put (local.get $at) (i32.const 1))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $byte)))
          (return (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $search)))
    (i32.const 0))

  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (local $reply i64)
    (global.set $in (local.get $ptr))
    (global.set $end (i32.add (local.get $ptr) (local.get $len)))
    (global.set $out (i32.const 4096))
    (call $put (i32.const 512) (i32.const 78))
    (drop (call $put_after (i32.const 896) (i32.const 13)))
    (call $put (i32.const 640) (i32.const 10))
    (drop (call $put_after (i32.const 928) (i32.const 8)))
    (call $put (i32.const 704) (i32.const 78))
    (call $put (i32.const 44) (i32.const 6)) ;; the version, in the metadata
    (call $put (i32.const 800) (i32.const 1))
    (if (call $put_after (i32.const 960) (i32.const 13)) ;; else the object is gone
      (then
        (call $put (i32.const 816) (i32.const 5))
        (local.set $reply (call $patch (i32.const 4096) (i32.sub (global.get $out) (i32.const 4096))))))
    (global.set $next (i32.const 65536))
    (if (i64.eqz (i64.and (local.get $reply) (i64.const 0x80000000))) (then (return (i64.const 0))))
    (local.get $reply)))
