;; Counts to 100 million, which an interpreter needs a second or more for and compiled code less than a tenth: shows
;; in which of the two ways a module is executed.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 0; nothing on stdout; nothing on stderr; compiled at least twice as fast as interpreted
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (local $count i32) (local $mixed i32)
    (loop $next
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      ;; A dependent operation that no compiler folds into a formula, and whose result is used.
      (local.set $mixed
        (i32.xor (i32.rotl (local.get $mixed) (i32.const 5)) (local.get $count)))
      (br_if $next (i32.lt_u (local.get $count) (i32.const 100000000))))
    (i32.store (i32.const 0) (local.get $mixed))))
