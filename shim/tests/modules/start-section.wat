;; Traps before its function is called: in the start section, which runs when the module is instantiated.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 134; nothing on stdout; on stderr one line that holds "trapped in `the start section`" and
;;             "unreachable"
(module
  (memory (export "memory") 1)
  (func $first unreachable)
  (start $first)
  (func (export "_start")))
