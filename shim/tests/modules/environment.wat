;; Prints its environment, one `NAME=value` a line, in the order of the container's specification.
;;
;; entrypoint: /x.wasm
;; run:        RUN --env COLOR=green IMAGE ID
;; expect:     exit code 0; stdout holds the line "COLOR=green", and the image's own variables; no variable
;;             of the host's; nothing on stderr
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  ;; 0: count, 4: bytes of all strings; 8: buffer pointer, 12: its length, 16: bytes written;
  ;; pointers from 1024, strings from 16384.
  (func (export "_start")
    (local $at i32) (local $end i32)
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $get (i32.const 1024) (i32.const 16384)))
    (local.set $at (i32.const 16384))
    (local.set $end (i32.add (local.get $at) (i32.load (i32.const 4))))
    ;; Each string ends with a zero: make it a newline, and print all of them at once.
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (if (i32.eqz (i32.load8_u (local.get $at)))
          (then (i32.store8 (local.get $at) (i32.const 10))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.store (i32.const 8) (i32.const 16384))
    (i32.store (i32.const 12) (i32.load (i32.const 4)))
    (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))
