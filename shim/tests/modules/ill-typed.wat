;; Breaks the type rules: `i32.add` with one operand. Assemblers that check have to be told not to
;; (`wat2wasm --no-check`; the crate `wat` does not check), and `wasmedge compile` refuses it: it exists in its
;; plain form only.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 126; nothing on stdout; on stderr one line that holds "could not be validated"
(module
  (memory (export "memory") 1)
  (func (export "_start")
    i32.const 1
    i32.add
    drop))
