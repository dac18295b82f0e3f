;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest that shows its settings wherever it can. They are {"namespace":"…","token":"…"}, or {"token":"…"}: then
;; there is no event. Reconcile logs them, writes the token to standard output and error, sends an event with it and
;; makes an HTTP request to it, and answers it as an error; with the input "t" it traps after that, and with "v" it
;; answers what is no result. A token that begins with "!" is rejected.
(module
  (import "k1s" "k1s_log" (func $log (param i32 i32 i32)))
  (import "k1s" "k1s_event" (func $event (param i32 i32) (result i64)))
  (import "k1s" "k1s_http_request" (func $http (param i32 i32) (result i64)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  ;; page 0: constants; page 1: the settings; page 2: what is put together; page 3 and on: buffers
  (memory (export "memory") 4)
  (global $next (mut i32) (i32.const 196608))
  (global $len (mut i32) (i32.const 0))
  (global $comma (mut i32) (i32.const 0))    ;; behind the namespace; 0 without one
  (global $token (mut i32) (i32.const 0))    ;; with its quotes
  (global $tokenlen (mut i32) (i32.const 0))
  (global $end (mut i32) (i32.const 131072)) ;; of what is put together
  (data (i32.const 16) "{\"name\":\"echo\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"reconcile\",\"validation\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"}]}")
  (data (i32.const 512) "{\"reason\":\"Invalid\",\"message\":")
  (data (i32.const 544) ",\"details\":{\"name\":")
  (data (i32.const 576) "}}")
  (data (i32.const 592) "}")
  (data (i32.const 608) "{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\",\"name\":\"tools\",\"type\":\"Warning\",\"reason\":\"Said\",\"namespace\":")
  (data (i32.const 736) ",\"message\":")
  (data (i32.const 752) "{\"method\":\"GET\",\"url\":\"https://")
  (data (i32.const 784) ".example.com/\"}")
  (data (i32.const 800) "{\"warnings\":[")
  (data (i32.const 816) "]}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64)
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 171)))
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
  (func $begin (global.set $end (i32.const 131072)))
  (func $add (param $ptr i32) (param $size i32)
    (memory.copy (global.get $end) (local.get $ptr) (local.get $size))
    (global.set $end (i32.add (global.get $end) (local.get $size))))
  (func $size (result i32) (i32.sub (global.get $end) (i32.const 131072)))
  (func $done (param $flag i64) (result i64) ;; what is put together as a reply
    (global.set $next (i32.const 196608))
    (i64.or (i64.shl (i64.const 131072) (i64.const 32)) (i64.or (i64.extend_i32_u (call $size)) (local.get $flag))))
  (func $reject (result i64)
    (call $begin)
    (call $add (i32.const 512) (i32.const 30)) (call $add (global.get $token) (global.get $tokenlen))
    (call $add (i32.const 544) (i32.const 19)) (call $add (global.get $token) (global.get $tokenlen)) (call $add (i32.const 576) (i32.const 2))
    (call $done (i64.const 0x80000000)))
  (func $write (param $fd i32)
    (i32.store (i32.const 0) (i32.add (global.get $token) (i32.const 1)))
    (i32.store (i32.const 4) (i32.sub (global.get $tokenlen) (i32.const 2)))
    (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "k1s_initialize") (param $ptr i32) (param $size i32) (result i64)
    (local $at i32)
    (memory.copy (i32.const 65536) (local.get $ptr) (local.get $size))
    (global.set $len (local.get $size))
    (global.set $next (i32.const 196608))
    (local.set $at (i32.const 65536))
    (if (i32.eq (i32.load8_u (i32.const 65538)) (i32.const 110)) ;; "n"
      (then
        (local.set $at (i32.const 65549))
        (block $found (loop $more
          (br_if $found (i32.eq (i32.load8_u (local.get $at)) (i32.const 44)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $more)))
        (global.set $comma (local.get $at))))
    (global.set $token (i32.add (local.get $at) (i32.const 9)))
    (global.set $tokenlen (i32.sub (i32.add (i32.const 65535) (local.get $size)) (global.get $token)))
    (if (i32.eq (i32.load8_u (i32.add (global.get $token) (i32.const 1))) (i32.const 33)) ;; "!"
      (then (return (call $reject))))
    (i64.const 0))
  (func (export "reconcile") (param $ptr i32) (param $size i32) (result i64)
    (call $log (i32.const 1) (i32.const 65536) (global.get $len))
    (call $log (i32.const 3) (i32.add (global.get $token) (i32.const 1)) (i32.sub (global.get $tokenlen) (i32.const 2)))
    (call $write (i32.const 1))
    (call $write (i32.const 2))
    (if (global.get $comma)
      (then
        (call $begin)
        (call $add (i32.const 608) (i32.const 125)) (call $add (i32.const 65549) (i32.sub (global.get $comma) (i32.const 65549)))
        (call $add (i32.const 736) (i32.const 11)) (call $add (global.get $token) (global.get $tokenlen)) (call $add (i32.const 592) (i32.const 1))
        (drop (call $event (i32.const 131072) (call $size)))
        (call $begin)
        (call $add (i32.const 752) (i32.const 31)) (call $add (i32.add (global.get $token) (i32.const 1)) (i32.sub (global.get $tokenlen) (i32.const 2))) (call $add (i32.const 784) (i32.const 15))
        (drop (call $http (i32.const 131072) (call $size)))))
    (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 116)) (then unreachable)) ;; "t"
    (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 118)) ;; "v"
      (then
        (call $begin)
        (call $add (global.get $token) (global.get $tokenlen))
        (return (call $done (i64.const 0)))))
    (call $reject))
  (func (export "validate_create") (param $ptr i32) (param $size i32) (result i64)
    (call $begin)
    (call $add (i32.const 800) (i32.const 13)) (call $add (global.get $token) (global.get $tokenlen)) (call $add (i32.const 816) (i32.const 2))
    (call $done (i64.const 0))))
