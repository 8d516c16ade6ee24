;; Copies stdin to stdout until the end of stdin.
;;
;; entrypoint: /x.wasm
;; run:        printf 'one\ntwo\n' | RUN IMAGE ID
;; expect:     exit code 0; stdout the same bytes as stdin; nothing on stderr
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)
  ;; 0: pointer and 4: length of the one buffer; 8: bytes read or written; the buffer is at 1024.
  (func (export "_start")
    (local $length i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (loop $again
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then (call $proc_exit (i32.const 1))))
      (local.set $length (i32.load (i32.const 8)))
      (if (local.get $length)
        (then
          (i32.store (i32.const 4) (local.get $length))
          (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
            (then (call $proc_exit (i32.const 2))))
          (br $again))))))
