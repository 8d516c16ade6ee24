//! How a password reaches the measuring process: as the first bytes on its lifeline, before any wish to stop. No file
//! holds it, no argument and no variable, and of the descriptors of a process `sudo` keeps only the first three.

use std::io::Write;
use std::os::fd::AsFd;

use anyhow::{Context as _, ensure};

use crate::secret::Secret;

/// The length that stands for no password.
const NONE: u32 = u32::MAX;
/// More than any password; what is longer was not written by [`send`].
const LONGEST: u32 = 1 << 16;

/// Writes it, or that there is none.
///
/// # Errors
/// When it is too long, or nobody reads.
pub fn send(lifeline: &mut impl Write, password: Option<&Secret>) -> anyhow::Result<()> {
    let bytes = password.map_or(&[][..], |password| password.expose().as_bytes());
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.with_context(|| format!("a password of {} bytes is too long", bytes.len()))?;
    let length = if password.is_some() { length } else { NONE };
    let sent = lifeline.write_all(&length.to_be_bytes()).and_then(|()| lifeline.write_all(bytes));
    sent.context("the measuring process ended before it began")
}

/// Reads what [`send`] wrote, and nothing behind it.
///
/// # Errors
/// When the other end is gone, or wrote something else.
pub fn receive(lifeline: impl AsFd) -> anyhow::Result<Option<Secret>> {
    let mut length = [0; 4];
    fill(&lifeline, &mut length)?;
    let length = u32::from_be_bytes(length);
    if length == NONE {
        return Ok(None);
    }
    ensure!(length <= LONGEST, "this process is started by `cargo xtask`, not by hand");
    let mut bytes = vec![0; length as usize];
    fill(&lifeline, &mut bytes)?;
    Ok(Some(Secret::new(String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("a password is not UTF-8"))?)))
}

/// Byte for byte from the descriptor: a buffer would swallow wishes to stop.
fn fill(lifeline: impl AsFd, mut bytes: &mut [u8]) -> anyhow::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::read(&lifeline, &mut *bytes) {
            Ok(0) => anyhow::bail!("the process that started this one is gone"),
            Ok(count) => bytes = &mut bytes[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("can not read from the process that started this one"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_password_comes_through_whole_and_leaves_the_wishes_behind_it() {
        for password in [None, Some(Secret::new("")), Some(Secret::new("pä:ss\nword"))] {
            let (reader, writer) = rustix::pipe::pipe().unwrap();
            let mut writer = File::from(writer);
            send(&mut writer, password.as_ref()).unwrap();
            writer.write_all(b"s").unwrap();
            drop(writer);
            assert_eq!(receive(&reader).unwrap(), password);
            let mut rest = Vec::new();
            File::from(reader).read_to_end(&mut rest).unwrap();
            assert_eq!(rest, b"s");
        }
    }

    #[test]
    fn an_end_in_the_middle_and_foreign_bytes_are_errors() {
        for bytes in [&b""[..], b"\0\0", b"\0\0\0\x05abc", b"hello"] {
            let (reader, writer) = rustix::pipe::pipe().unwrap();
            File::from(writer).write_all(bytes).unwrap();
            assert!(receive(&reader).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn what_no_password_is_can_not_be_sent() {
        let error = send(&mut Vec::new(), Some(&Secret::new("x".repeat(70_000)))).unwrap_err().to_string();
        assert!(error.contains("70000 bytes"), "{error}");
    }
}
