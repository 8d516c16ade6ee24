;; Traps.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 134; nothing on stdout; on stderr one line that holds "trapped in `_start`" and
;;             "unreachable"
(module
  (memory (export "memory") 1)
  (func (export "_start")
    unreachable))
