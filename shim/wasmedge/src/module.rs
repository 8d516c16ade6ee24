//! What the bytes of a module say about it, without an engine: whether they are a module at all, and
//! whether they carry compiled code. Pure; parsing for execution is WasmEdge's.
//!
//! Source: WebAssembly Core Specification 2.0, section 5.5 (binary format of modules).

/// `\0asm`, then the version of the format of modules. Components have another one.
const MODULE_HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

/// The name under which `wasmedge compile` appends native code to a module ("universal Wasm").
const COMPILED_SECTION: &[u8] = b"wasmedge";

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A module with instructions only: it is interpreted.
    Plain,
    /// A module that also carries native code, made by `wasmedge compile`.
    Compiled,
    /// Not a module. A component, text, an empty file, anything else.
    Foreign,
}

impl Form {
    /// Looks at the header and the names of the custom sections. Sections are skipped by their sizes, so
    /// the cost does not grow with the code. What is cut off or malformed after the header counts as
    /// plain: the engine says what is wrong with it.
    pub fn of(bytes: &[u8]) -> Self {
        let Some(mut rest) = bytes.strip_prefix(&MODULE_HEADER) else {
            return Self::Foreign;
        };
        while let Some((id, body, after)) = section(rest) {
            if id == 0 && custom_name(body) == Some(COMPILED_SECTION) {
                return Self::Compiled;
            }
            rest = after;
        }
        Self::Plain
    }
}

/// The first section: its id, its body, and what comes after it.
fn section(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&id, rest) = bytes.split_first()?;
    let (size, rest) = unsigned(rest)?;
    let (body, after) = rest.split_at_checked(size)?;
    Some((id, body, after))
}

fn custom_name(body: &[u8]) -> Option<&[u8]> {
    let (length, rest) = unsigned(body)?;
    rest.get(..length)
}

/// An unsigned 32-bit number in LEB128, and what comes after it (specification, section 5.2.2).
fn unsigned(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value: u32 = 0;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f).checked_shl(7 * u32::try_from(index).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Form, unsigned};

    /// A module of one section.
    fn module(id: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        bytes.push(id);
        bytes.push(u8::try_from(body.len()).expect("a short body"));
        bytes.extend(body);
        bytes
    }

    #[test]
    fn a_module_without_native_code_is_plain() {
        let bytes = wat::parse_str("(module (func (export \"_start\")))").expect("valid text");
        assert_eq!(Form::of(&bytes), Form::Plain);
        assert_eq!(Form::of(b"\0asm\x01\0\0\0"), Form::Plain);
    }

    #[test]
    fn a_section_named_wasmedge_makes_it_compiled() {
        assert_eq!(Form::of(&module(0, b"\x08wasmedge\x01\x02")), Form::Compiled);
    }

    #[test]
    fn the_section_is_found_behind_others() {
        let mut bytes = wat::parse_str("(module (func (export \"_start\")))").expect("valid text");
        bytes.extend(&module(0, b"\x08wasmedge")[8..]);
        assert_eq!(Form::of(&bytes), Form::Compiled);
    }

    #[test]
    fn a_longer_or_shorter_name_is_another_section() {
        assert_eq!(Form::of(&module(0, b"\x09wasmedge2")), Form::Plain);
        assert_eq!(Form::of(&module(0, b"\x08wasmedg")), Form::Plain);
    }

    #[test]
    fn the_name_inside_another_section_does_not_count() {
        assert_eq!(Form::of(&module(11, b"\x08wasmedge")), Form::Plain);
    }

    #[test]
    fn components_text_and_nothing_are_foreign() {
        assert_eq!(Form::of(b"\0asm\x0d\0\x01\0"), Form::Foreign);
        assert_eq!(Form::of(b"(module)"), Form::Foreign);
        assert_eq!(Form::of(b""), Form::Foreign);
    }

    #[test]
    fn numbers_are_read_to_their_end_and_no_further_than_five_bytes() {
        assert_eq!(unsigned(&[0x80, 0x01, 0xff]), Some((128, &[0xff][..])));
        assert_eq!(unsigned(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Some((0xffff_ffff, &[][..])));
        assert_eq!(unsigned(&[0x80; 6]), None);
        assert_eq!(unsigned(&[0x80]), None);
    }
}
