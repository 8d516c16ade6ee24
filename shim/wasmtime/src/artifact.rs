//! Files that Wasmtime's compiler made: what their first bytes say, and their way into memory. They are ELF files, which
//! no kernel executes.
//!
//! Source: `wasmtime-environ`, `src/obj.rs`; ELF-64 Object File Format, version 1.5, section 2.

// `Module::deserialize`: the file is code. Its place and signature are what makes it safe or not, as for any program.
#![allow(unsafe_code)]

use shim::Failure;
use wasmtime::{Engine, Module};

use crate::compile;
use crate::engine::Mode;

/// The value of `e_ident[EI_OSABI]`, and where it is.
const WASMTIME: u8 = 200;
const OS_ABI: usize = 7;

/// Where `e_flags` is, and the bit for code of the interpreter.
const FLAGS: std::ops::Range<usize> = 48..52;
const PULLEY: u32 = 1 << 3;

/// Whether a file that begins like this was made by Wasmtime's compiler, whatever its version.
pub fn has_header(header: &[u8]) -> bool {
    header.starts_with(b"\x7fELF") && header.get(OS_ABI) == Some(&WASMTIME)
}

/// For which mode such a file was made.
pub fn mode(bytes: &[u8]) -> Mode {
    let flags = bytes.get(FLAGS).and_then(|flags| flags.try_into().ok()).map_or(0, u32::from_le_bytes);
    if flags & PULLEY == 0 { Mode::Compiler } else { Mode::Interpreter }
}

/// The module in such a file.
///
/// # Errors
/// It was made by another version, with other settings, or for another machine.
pub fn open(engine: &Engine, bytes: &[u8]) -> Result<Module, Failure> {
    // SAFETY: the engine checks version, settings and machine, and trusts the rest: a file that was altered can do what
    // any native program can. It runs confined as one: without capabilities, descriptors and file systems of the host.
    unsafe { Module::deserialize(engine, bytes) }
        .map_err(|error| Failure::CodeNotAccepted { reason: format!("{error:#}"), compiler: compile::USAGE })
}

#[cfg(test)]
mod tests {
    use super::{has_header, mode};
    use crate::engine::{Engines, Mode};

    #[test]
    fn a_compiled_file_says_by_its_header_who_made_it_and_for_which_mode() {
        let module = wat::parse_str("(module (func (export \"_start\")))").expect("valid text");
        let engines = Engines::new().expect("engines");
        for wanted in [Mode::Compiler, Mode::Interpreter] {
            let bytes = engines.of(wanted).engine.precompile_module(&module).expect("compiled");
            assert!(has_header(&bytes[..8]));
            assert_eq!(mode(&bytes), wanted);
        }
    }

    #[test]
    fn a_program_for_linux_a_module_and_nothing_are_none() {
        assert!(!has_header(b"\x7fELF\x02\x01\x01\x00"));
        assert!(!has_header(b"\0asm\x01\0\0\0"));
        assert!(!has_header(b"\x7fELF"));
        assert!(!has_header(b""));
    }
}
