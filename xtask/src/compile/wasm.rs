//! As much of a WebAssembly module as has to be known here: whom it imports from, and its custom sections.
//!
//! After the WebAssembly Core Specification 2.0, section 5.5 (binary format, modules).

use anyhow::{Context as _, bail, ensure};

const CUSTOM: u8 = 0;
const IMPORT: u8 = 2;

/// What a module says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// The modules that it imports from, each once, in order of appearance.
    pub imports_from: Vec<String>,
    /// The names of its custom sections, in order.
    pub custom_sections: Vec<String>,
}

/// Whether these bytes begin a module, of whatever version.
pub fn is_wasm(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}

/// Reads a module's sections.
///
/// # Errors
/// When it is no version 1 module, or is cut off.
pub fn parse(bytes: &[u8]) -> anyhow::Result<Module> {
    ensure!(is_wasm(bytes), "it is no WebAssembly: it does not begin with `\\0asm`");
    ensure!(bytes.get(4..8) == Some(&[1, 0, 0, 0]), "it is no WebAssembly module of version 1");
    let mut module = Module::default();
    let mut rest = Reader(&bytes[8..]);
    while !rest.0.is_empty() {
        let id = rest.byte()?;
        let mut section = Reader(rest.vector()?);
        match id {
            CUSTOM => module.custom_sections.push(section.name()?),
            IMPORT => module.imports_from = imports(&mut section)?,
            _ => {}
        }
    }
    Ok(module)
}

fn imports(section: &mut Reader<'_>) -> anyhow::Result<Vec<String>> {
    let mut from: Vec<String> = Vec::new();
    for _ in 0..section.number()? {
        let module = section.name()?;
        if !from.contains(&module) {
            from.push(module);
        }
        section.name()?;
        match section.byte()? {
            // A function, by the index of its type.
            0 => drop(section.number()?),
            // A table: the type of its elements, and limits.
            1 => {
                section.byte()?;
                section.limits()?;
            }
            // A memory: limits.
            2 => section.limits()?,
            // A global: its type, and whether it changes.
            3 => {
                section.byte()?;
                section.byte()?;
            }
            other => bail!("it imports something of the unknown kind {other}"),
        }
    }
    Ok(from)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> anyhow::Result<u8> {
        let (first, rest) = self.0.split_first().context("it is cut off")?;
        self.0 = rest;
        Ok(*first)
    }

    /// LEB128, up to 32 bits.
    fn number(&mut self) -> anyhow::Result<u32> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).context("it holds a number of more than 32 bits");
            }
        }
        bail!("it holds a number of more than 32 bits")
    }

    fn vector(&mut self) -> anyhow::Result<&'a [u8]> {
        let length = usize::try_from(self.number()?)?;
        let (vector, rest) = self.0.split_at_checked(length).context("it is cut off")?;
        self.0 = rest;
        Ok(vector)
    }

    fn name(&mut self) -> anyhow::Result<String> {
        String::from_utf8(self.vector()?.to_vec()).context("it holds a name that is not UTF-8")
    }

    fn limits(&mut self) -> anyhow::Result<()> {
        let has_most = self.byte()? & 1 == 1;
        self.number()?;
        if has_most {
            self.number()?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A module of nothing but one import of each kind from `from`, and one custom section.
    pub fn tiny_module(from: &str, custom: &str) -> Vec<u8> {
        let name = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let import = |kind: &[u8]| [name(from), name("x"), kind.to_vec()].concat();
        let kinds: [&[u8]; 4] = [&[0, 0], &[1, 0x70, 1, 0, 5], &[2, 0, 0x80, 1], &[3, 0x7f, 0]];
        let imports = [vec![4], kinds.map(import).concat()].concat();
        let section = |id: u8, body: Vec<u8>| [vec![id, u8::try_from(body.len()).unwrap()], body].concat();
        [b"\0asm\x01\0\0\0".to_vec(), section(0, name(custom)), section(2, imports)].concat()
    }

    #[test]
    fn imports_of_every_kind_and_custom_sections_are_read() {
        let module = parse(&tiny_module("wasi_snapshot_preview1", "wasmedge")).unwrap();
        assert_eq!(module.imports_from, ["wasi_snapshot_preview1"]);
        assert_eq!(module.custom_sections, ["wasmedge"]);
    }

    #[test]
    fn a_cut_off_module_is_an_error() {
        let bytes = tiny_module("env", "n");
        for length in (0..8).chain(9..12).chain(13..bytes.len()) {
            assert!(parse(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_component_is_no_module() {
        assert!(parse(b"\0asm\x0d\0\x01\0").unwrap_err().to_string().contains("version 1"));
    }
}
