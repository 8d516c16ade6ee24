;; Has two functions to start with.
;;
;; entrypoint: /x.wasm#greet
;; run:        RUN IMAGE ID
;; expect:     exit code 0; stdout "greet\n"; nothing on stderr
;;
;; entrypoint: /x.wasm
;; expect:     exit code 0; stdout "_start\n"; nothing on stderr
;;
;; entrypoint: /x.wasm#absent
;; expect:     exit code 127; nothing on stdout; on stderr one line that holds "exports no function `absent`"
;;
;; entrypoint: /x.wasm#twice
;; expect:     the same for `twice`: a function with parameters can not be started with
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "greet\n")
  (data (i32.const 96) "_start\n")
  (func $say (param $text i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $text))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "twice") (param i32) (result i32)
    (i32.shl (local.get 0) (i32.const 1)))
  (func (export "greet") (call $say (i32.const 64) (i32.const 6)))
  (func (export "_start") (call $say (i32.const 96) (i32.const 7))))
