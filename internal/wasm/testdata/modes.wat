;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest that does what it is told: the first byte of reconcile's input, a to w, picks one of
;; the functions of the same name, the rest is that function's argument.
(module
  (import "k1s" "k1s_client_get" (func $get (param i32 i32) (result i64)))
  (import "k1s" "k1s_log" (func $log (param i32 i32 i32)))
  (import "k1s" "k1s_now" (func $now (result i64)))
  (import "k1s" "k1s_random" (func $random (param i32 i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))

  (type $mode (func (param $ptr i32) (param $len i32) (result i64)))
  (table $modes 23 funcref) ;; without a maximum
  (elem (i32.const 0) $a $b $c $d $e $f $g $h $i $j $k $l $m $n $o $p $q $r $s $t $u $v $w)

  ;; 16: metadata, 512: words, 1024: scratch, 2048: settings; buffers from 4096.
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"name\":\"modes\",\"version\":\"1\",\"capabilities\":[\"reconcile\"],\"forTypes\":[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}")
  (data (i32.const 512) "flood")
  (data (i32.const 528) "shutting down")
  (global $next (mut i32) (i32.const 4096))
  (global $calls (mut i32) (i32.const 0))
  (global $settings (mut i32) (i32.const 0))

  (func (export "k1s_abi_version") (result i32) (i32.const 1))
  (func (export "k1s_metadata") (result i64) (call $reply (i32.const 16) (i32.const 111)))
  (func (export "k1s_alloc") (param $size i32) (result i32)
    (local $ptr i32)
    (local.set $ptr (global.get $next))
    (global.set $next (i32.add (global.get $next) (local.get $size)))
    (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
      (then
        (if (i32.eq (i32.const -1)
              (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16)))))
          (then (return (i32.const 0))))))
    (local.get $ptr))
  (func (export "k1s_initialize") (param $ptr i32) (param $len i32) (result i64)
    (memory.copy (i32.const 2048) (local.get $ptr) (local.get $len))
    (global.set $settings (local.get $len))
    (global.set $next (i32.const 4096))
    (i64.const 0))
  (func (export "k1s_shutdown")
    (call $log (i32.const 1) (i32.const 528) (i32.const 13)))
  (func (export "reconcile") (param $ptr i32) (param $len i32) (result i64)
    (call_indirect (type $mode)
      (i32.add (local.get $ptr) (i32.const 1))
      (i32.sub (local.get $len) (i32.const 1))
      (i32.sub (i32.load8_u (local.get $ptr)) (i32.const 97)))
    (global.set $next (i32.const 4096)))

  (func $reply (param $ptr i32) (param $len i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32)) (i64.extend_i32_u (local.get $len))))
  (func $number (param $n i32) (result i64) ;; a reply of four bytes
    (i32.store (i32.const 1024) (local.get $n))
    (call $reply (i32.const 1024) (i32.const 4)))
  (func $write (param $fd i32) (param $ptr i32) (param $len i32)
    (i32.store (i32.const 1024) (local.get $ptr))
    (i32.store (i32.const 1028) (local.get $len))
    (drop (call $fd_write (local.get $fd) (i32.const 1024) (i32.const 1) (i32.const 1032))))

  ;; echo
  (func $a (type $mode) (call $reply (local.get 0) (local.get 1)))
  ;; answer the argument as an error
  (func $b (type $mode) (call $reply (local.get 0) (i32.or (local.get 1) (i32.const 0x80000000))))
  ;; reply with the argument, eight bytes, as it is
  (func $c (type $mode) (i64.load (local.get 0)))
  ;; write the argument to standard error, and trap
  (func $d (type $mode)
    (call $write (i32.const 2) (local.get 0) (local.get 1))
    (unreachable))
  ;; read behind the memory
  (func $e (type $mode) (i64.load (i32.const -8)))
  ;; call itself for ever
  (func $f (type $mode) (i64.add (call $f (local.get 0) (local.get 1)) (i64.const 1)))
  ;; loop for ever
  (func $g (type $mode) (loop (br 0)) (unreachable))
  ;; exit with the argument
  (func $h (type $mode) (call $exit (i32.load (local.get 0))) (i64.const 0))
  ;; get with the argument as the request; what the host answers is the reply
  (func $i (type $mode) (call $get (local.get 0) (local.get 1)))
  ;; get with a request at the place that the argument names
  (func $j (type $mode) (call $get (i32.load (local.get 0)) (i32.load offset=4 (local.get 0))))
  ;; log as often as the argument says
  (func $k (type $mode)
    (local $n i32)
    (local.set $n (i32.load (local.get 0)))
    (loop $again
      (call $log (i32.const 1) (i32.const 512) (i32.const 5))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n)))
    (i64.const 0))
  ;; fill the place that the argument names with random bytes, and reply with it
  (func $l (type $mode)
    (call $random (i32.load (local.get 0)) (i32.load offset=4 (local.get 0)))
    (call $reply (i32.load (local.get 0)) (i32.load offset=4 (local.get 0))))
  ;; memory.grow
  (func $m (type $mode) (call $number (memory.grow (i32.load (local.get 0)))))
  ;; how many calls of this kind the instance has had
  (func $n (type $mode)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (call $number (global.get $calls)))
  ;; the settings
  (func $o (type $mode) (call $reply (i32.const 2048) (global.get $settings)))
  ;; write the argument to standard output
  (func $p (type $mode) (call $write (i32.const 1) (local.get 0) (local.get 1)) (i64.const 0))
  ;; sleep for the argument, nanoseconds in eight bytes
  (func $q (type $mode)
    (memory.fill (i32.const 1024) (i32.const 0) (i32.const 48))
    (i32.store (i32.const 1040) (i32.const 1)) ;; the monotonic clock
    (i64.store (i32.const 1048) (i64.load (local.get 0)))
    (call $number (call $poll (i32.const 1024) (i32.const 1080) (i32.const 1) (i32.const 1112))))
  ;; table.grow
  (func $r (type $mode) (call $number (table.grow $modes (ref.null func) (i32.load (local.get 0)))))
  ;; the time, in eight bytes
  (func $s (type $mode)
    (i64.store (i32.const 1024) (call $now))
    (call $reply (i32.const 1024) (i32.const 8)))
  ;; log the argument, whose first byte is the level
  (func $t (type $mode)
    (call $log (i32.load8_s (local.get 0)) (i32.add (local.get 0) (i32.const 1)) (i32.sub (local.get 1) (i32.const 1)))
    (i64.const 0))
  ;; log from the place that the argument names
  (func $u (type $mode)
    (call $log (i32.const 1) (i32.load (local.get 0)) (i32.load offset=4 (local.get 0)))
    (i64.const 0))
  ;; an empty reply that points somewhere
  (func $v (type $mode) (call $reply (i32.const 1) (i32.const 0)))
  ;; get twice with the argument as the request
  (func $w (type $mode)
    (drop (call $get (local.get 0) (local.get 1)))
    (call $get (local.get 0) (local.get 1))))
