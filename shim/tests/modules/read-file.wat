;; Reads a file of the image through the preopened root directory, descriptor 3.
;;
;; The image needs a second file: /data/greeting.txt, at most 4096 bytes. Not for the wasm-layer form, which
;; has no root file system: there it must exit with 2.
;;
;; entrypoint: /x.wasm
;; run:        RUN IMAGE ID
;; expect:     exit code 0; stdout the contents of /data/greeting.txt; nothing on stderr.
;;             Exit code 1: descriptor 3 is not preopened as "/". 2: the file could not be opened.
;;             3: it could not be read.
(module
  (import "wasi_snapshot_preview1" "fd_prestat_get"
    (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name"
    (func $prestat_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "data/greeting.txt")
  (func $check (param $failed i32) (param $code i32)
    (if (local.get $failed) (then (call $proc_exit (local.get $code)))))
  (func (export "_start")
    ;; 0: kind of the preopen (0, a directory), 4: length of its name, 8: the name.
    (call $check (call $prestat (i32.const 3) (i32.const 0)) (i32.const 1))
    (call $check (i32.ne (i32.load (i32.const 4)) (i32.const 1)) (i32.const 1))
    (call $check (call $prestat_name (i32.const 3) (i32.const 8) (i32.const 1)) (i32.const 1))
    (call $check (i32.ne (i32.load8_u (i32.const 8)) (i32.const 47)) (i32.const 1))
    ;; Rights: fd_read (bit 1). The descriptor goes to 16.
    (call $check
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 17) (i32.const 0)
        (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 16))
      (i32.const 2))
    (i32.store (i32.const 20) (i32.const 1024))
    (i32.store (i32.const 24) (i32.const 4096))
    (call $check
      (call $fd_read (i32.load (i32.const 16)) (i32.const 20) (i32.const 1) (i32.const 28))
      (i32.const 3))
    (i32.store (i32.const 24) (i32.load (i32.const 28)))
    (drop (call $fd_write (i32.const 1) (i32.const 20) (i32.const 1) (i32.const 28)))))
