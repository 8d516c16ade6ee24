;; Reads beyond its memory, which compiled code learns of through a signal of the kernel's.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 134; nothing on stdout; on stderr one line that holds "trapped in `_start`" and
;;             "out of bounds"
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (i32.load (i32.const 0x7fffffff)))))
