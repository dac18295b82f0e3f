;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest whose settings are {"op":N,"request":{...}}: for every Category it makes that request of the cluster, by the
;; host function N (0 get, 1 list, 2 create, 3 update, 4 patch, 5 delete, 6 event). An error is its answer, and a success
;; is too: an Invalid error "done", so that a test sees either.
(module
  (type $do (func (param i32 i32) (result i64)))
  (import "k1s" "k1s_client_get" (func $client_get (type $do)))
  (import "k1s" "k1s_client_list" (func $client_list (type $do)))
  (import "k1s" "k1s_client_create" (func $client_create (type $do)))
  (import "k1s" "k1s_client_update" (func $client_update (type $do)))
  (import "k1s" "k1s_client_patch" (func $client_patch (type $do)))
  (import "k1s" "k1s_client_delete" (func $client_delete (type $do)))
  (import "k1s" "k1s_event" (func $event (type $do)))
  (table 7 funcref)
  (elem (i32.const 0) $client_get $client_list $client_create $client_update $client_patch $client_delete $event)
  ;; page 0: constants; page 1: the settings; page 2 and on: buffers
  (memory (export "memory") 3)
  (global $next (mut i32) (i32.const 131072))
  (global $len (mut i32) (i32.const 0))
  (data (i32.const 16) "{\"name\":\"doer\",\"version\":\"1.0.0\",\"language\":\"wat\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"inventory.example.com/v1alpha1\",\"kind\":\"Category\"}]}")
  (data (i32.const 1024) "{\"reason\":\"Invalid\",\"message\":\"done\"}")
  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64)
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 158)))
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
    (global.set $len (local.get $size))
    (global.set $next (i32.const 131072))
    (i64.const 0))
  (func (export "reconcile") (param $ptr i32) (param $size i32) (result i64)
    (local $reply i64)
    (local.set $reply (call_indirect (type $do)
      (i32.const 65554) (i32.sub (global.get $len) (i32.const 19))
      (i32.sub (i32.load8_u (i32.const 65542)) (i32.const 48))))
    (global.set $next (i32.const 131072))
    (if (i64.ne (i64.and (local.get $reply) (i64.const 0x80000000)) (i64.const 0))
      (then (return (local.get $reply))))                ;; the error as it came
    (i64.or (i64.shl (i64.const 1024) (i64.const 32))
      (i64.or (i64.const 37) (i64.const 0x80000000)))))
