;; Counts to 20 million, which the interpreter needs about a second for and compiled code some milliseconds: shows
;; in which of the two ways a module is executed.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 0; nothing on stdout; nothing on stderr; compiled at least 5 times as fast as plain
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (local $count i32) (local $mixed i32)
    (loop $next
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      ;; A dependent operation that no compiler folds into a formula, and whose result is used.
      (local.set $mixed
        (i32.xor (i32.rotl (local.get $mixed) (i32.const 5)) (local.get $count)))
      (br_if $next (i32.lt_u (local.get $count) (i32.const 20000000))))
    (i32.store (i32.const 0) (local.get $mixed))))
