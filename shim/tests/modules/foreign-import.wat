;; Asks for a function that no WASI host has.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 126; nothing on stdout; on stderr one line that holds "could not be instantiated" and
;;             "unknown import"
(module
  (import "env" "launch" (func $launch))
  (memory (export "memory") 1)
  (func (export "_start") (call $launch)))
