;; Says that it runs, and then never ends.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID, and when "spinning\n" was read from its stdout: ctr task kill -s KILL ID
;; expect:     exit code 137, less than a second after the kill; nothing on stderr
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "spinning\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 9))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop $forever (br $forever))))
