;; Ends through `proc_exit` before its function is called: in the start section.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 9; nothing on stdout; nothing on stderr. A shim that calls `_start` all the same traps
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $first (call $proc_exit (i32.const 9)))
  (start $first)
  (func (export "_start") unreachable))
