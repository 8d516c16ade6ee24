//! Modules of a few lines, run in this process.

use shim::{Failure, Module};

use super::run;
use crate::engine::{Engines, Mode};

const EMPTY: &str = "(module (memory (export \"memory\") 1) (func (export \"_start\")))";

const EXIT: &str = "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))
    (memory (export \"memory\") 1) (func (export \"_start\") (call $exit (i32.const 200)) unreachable))";

fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("valid text")
}

fn outcome(bytes: &[u8], function: &str, mode: Option<&str>) -> Result<i32, Failure> {
    let engines = Engines::new().expect("engines");
    run(&engines, &Module { bytes, function, arguments: &[], environment: &[], directories: &["/"], mode })
}

fn refused(bytes: &[u8], function: &str, mode: Option<&str>) -> (i32, String) {
    let failure = outcome(bytes, function, mode).expect_err("a failure");
    (failure.exit_code(), failure.to_string())
}

fn compiled(text: &str, mode: Mode) -> Vec<u8> {
    Engines::new().expect("engines").of(mode).engine.precompile_module(&module(text)).expect("compiled")
}

#[test]
fn a_module_ends_alike_in_every_mode_and_form() {
    for mode in [None, Some("compiler"), Some("interpreter")] {
        assert_eq!(outcome(&module(EMPTY), "_start", mode).expect("an end"), 0);
        assert_eq!(outcome(&module(EXIT), "_start", mode).expect("an end"), 200);
    }
    for mode in [Mode::Compiler, Mode::Interpreter] {
        assert_eq!(outcome(&compiled(EXIT, mode), "_start", None).expect("an end"), 200);
    }
}

#[test]
fn a_trap_names_function_and_reason() {
    let bytes = module("(module (func (export \"_start\") unreachable))");
    let (code, text) = refused(&bytes, "_start", None);
    assert_eq!(code, 134);
    assert_eq!(text, "it trapped in `_start`: wasm trap: wasm `unreachable` instruction executed");
    let (code, text) = refused(&module("(module (func $f unreachable) (start $f))"), "_start", None);
    assert_eq!(code, 134);
    assert!(text.starts_with("it trapped in `the start section`"), "{text}");
}

#[test]
fn what_the_processor_notices_is_a_trap_too() {
    let beyond = module("(module (memory 1) (func (export \"_start\") (drop (i32.load (i32.const 0x7fffffff)))))");
    let endless = module("(module (func $f (export \"_start\") (call $f)))");
    for mode in ["compiler", "interpreter"] {
        for (bytes, words) in [(&beyond, "out of bounds"), (&endless, "stack exhausted")] {
            let (code, text) = refused(bytes, "_start", Some(mode));
            assert!(code == 134 && text.contains(words), "{mode}: {text}");
        }
    }
}

#[test]
fn a_function_that_can_not_be_called_is_no_trap() {
    let bytes = module("(module (func (export \"twice\") (param i32)))");
    for function in ["absent", "twice"] {
        let (code, text) = refused(&bytes, function, None);
        assert_eq!(code, 127);
        assert!(text.contains(&format!("exports no function `{function}`")), "{text}");
    }
}

#[test]
fn what_is_no_module_or_breaks_its_rules_is_refused() {
    for bytes in [&b""[..], b"(module)", b"\0asm\x0d\0\x01\0", b"\x7fELF\x02\x01\x01\0"] {
        let (code, text) = refused(bytes, "_start", None);
        assert_eq!(code, 126);
        assert!(text.contains("no WebAssembly module"), "{text}");
    }
    let (code, text) = refused(b"\0asm\x01\0\0\0\xff", "_start", None);
    assert!(code == 126 && text.contains("could not be validated"), "{text}");
    let (code, text) = refused(&module("(module (import \"env\" \"launch\" (func)))"), "_start", None);
    assert_eq!(code, 126);
    assert!(text.contains("unknown import") && text.contains("WASI preview 1"), "{text}");
}

#[test]
fn a_file_that_was_compiled_otherwise_is_refused_and_not_interpreted() {
    let mut other_version = compiled(EMPTY, Mode::Compiler);
    // The version stands before the target, which a byte with its length precedes.
    let target = b"x86_64-unknown-linux-gnu";
    let at = other_version.windows(target.len()).position(|part| part == target).expect("the target is in the file");
    other_version[at - 2] ^= 1;
    let (code, text) = refused(&other_version, "_start", None);
    assert_eq!(code, 126);
    assert!(text.contains("incompatible version") && text.contains("containerd-shim-wasmtime-v1 compile"), "{text}");
    let (code, text) = refused(&compiled(EMPTY, Mode::Compiler), "_start", Some("interpreter"));
    assert!(code == 126 && text.contains("`compiler` and not for `interpreter`"), "{text}");
    let mut cut = compiled(EMPTY, Mode::Compiler);
    cut.truncate(cut.len() / 2);
    assert_eq!(refused(&cut, "_start", None).0, 126);
}

#[test]
fn an_unknown_mode_is_no_fault_of_the_module() {
    let (code, text) = refused(&module(EMPTY), "_start", Some("jit"));
    assert!(code == 125 && text.contains("`jit`"), "{text}");
}

#[test]
fn compiled_files_are_for_any_processor_of_the_architecture() {
    let file = compiled(EMPTY, Mode::Compiler);
    for name in ["has_sse3", "has_sse41", "has_popcnt", "has_avx", "has_bmi1"] {
        // Cranelift's settings are in the file by name; behind it are the kind of the value (2: yes or no), and the value.
        let at =
            file.windows(name.len() + 1).position(|part| part.starts_with(name.as_bytes()) && part[name.len()] == 2);
        let at = at.unwrap_or_else(|| panic!("`{name}` is not in the file"));
        assert_eq!(file[at + name.len() + 1], 0, "`{name}` is used");
    }
}
