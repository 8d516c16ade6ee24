//! As much of an ELF file's headers as has to be known here: what it is for, and who interprets it.
//!
//! After the System V ABI, "Object Files" and "Program Loading". Little-endian 64-bit files only.

use anyhow::{Context as _, ensure};

/// The x86-64 architecture.
pub const X86_64: u16 = 62;
const EXECUTABLE: u16 = 2;
const SHARED: u16 = 3;
const PT_INTERP: u32 = 3;
const PROGRAM_HEADER_BYTES: usize = 56;

/// What an ELF file's headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elf {
    /// `e_machine`.
    pub machine: u16,
    /// Whether it can be executed: `ET_EXEC` or `ET_DYN`.
    pub executable: bool,
    /// Whether it names a dynamic linker (`PT_INTERP`).
    pub interpreted: bool,
}

/// Whether these bytes begin an ELF file.
pub fn is_elf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF")
}

/// Reads the headers. The bytes may be a file's beginning, as long as the program headers are in them.
///
/// # Errors
/// When it is no 64-bit little-endian ELF file, or is cut off.
pub fn parse(bytes: &[u8]) -> anyhow::Result<Elf> {
    ensure!(is_elf(bytes), "it is no ELF file: it does not begin with `\\x7fELF`");
    ensure!(bytes.get(4..6) == Some(&[2, 1]), "it is no 64-bit little-endian ELF file");
    let kind = u16_at(bytes, 16)?;
    let headers_at = usize::try_from(u64_at(bytes, 32)?)?;
    let header_bytes = usize::from(u16_at(bytes, 54)?);
    let headers = usize::from(u16_at(bytes, 56)?);
    ensure!(headers == 0 || header_bytes >= PROGRAM_HEADER_BYTES, "its program headers are too small");
    let mut interpreted = false;
    for index in 0..headers {
        let at = headers_at.checked_add(index * header_bytes).context("its program headers are out of range")?;
        interpreted |= u32_at(bytes, at)? == PT_INTERP;
    }
    Ok(Elf { machine: u16_at(bytes, 18)?, executable: matches!(kind, EXECUTABLE | SHARED), interpreted })
}

fn at<const N: usize>(bytes: &[u8], offset: usize) -> anyhow::Result<[u8; N]> {
    let field = offset.checked_add(N).and_then(|end| bytes.get(offset..end));
    Ok(field.context("it is cut off within its headers")?.try_into()?)
}

fn u16_at(bytes: &[u8], offset: usize) -> anyhow::Result<u16> {
    Ok(u16::from_le_bytes(at(bytes, offset)?))
}

fn u32_at(bytes: &[u8], offset: usize) -> anyhow::Result<u32> {
    Ok(u32::from_le_bytes(at(bytes, offset)?))
}

fn u64_at(bytes: &[u8], offset: usize) -> anyhow::Result<u64> {
    Ok(u64::from_le_bytes(at(bytes, offset)?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A file of nothing but headers, with one program header of this type.
    pub fn tiny_elf(program_header: u32) -> Vec<u8> {
        let mut bytes = vec![0; 64 + PROGRAM_HEADER_BYTES];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[16..18].copy_from_slice(&SHARED.to_le_bytes());
        bytes[18..20].copy_from_slice(&X86_64.to_le_bytes());
        bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&1u16.to_le_bytes());
        bytes[64..68].copy_from_slice(&program_header.to_le_bytes());
        bytes
    }

    #[test]
    fn an_interpreter_is_found_and_its_absence_too() {
        let expected = Elf { machine: X86_64, executable: true, interpreted: true };
        assert_eq!(parse(&tiny_elf(PT_INTERP)).unwrap(), expected);
        assert_eq!(parse(&tiny_elf(1)).unwrap(), Elf { interpreted: false, ..expected });
    }

    #[test]
    fn a_cut_off_file_is_an_error_at_every_length() {
        let bytes = tiny_elf(PT_INTERP);
        for length in 0..68 {
            assert!(parse(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn program_headers_far_outside_are_an_error() {
        let mut bytes = tiny_elf(1);
        bytes[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(parse(&bytes).is_err());
    }
}
