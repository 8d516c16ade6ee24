;; Ends through `proc_exit`.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 7; nothing on stdout; nothing on stderr
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (call $proc_exit (i32.const 7))
    ;; Never reached: a shim that went on would trap.
    unreachable))
