//! The only place that writes to stdout and stderr. Lines on stderr are for a person who follows the work: one that can
//! not be written (a closed pipe, a full disk) is dropped, because it is worth less than what is being measured. What
//! goes to stdout is the result: one that can not be written is an error.
//!
//! `println!` and its kin panic instead: Clippy refuses them everywhere (`main.rs`).

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{ErrorKind, Write};

use anyhow::Context as _;

use crate::secret::without_accounts;
use report::visible::visible;

/// What the program is called in a checkout, and in every text that names it.
pub const IN_A_CHECKOUT: &str = "cargo xtask";
/// What it is called where it was installed.
pub const INSTALLED: &str = "deploy-bench";

/// What the program is called here: by the name of its file.
pub fn called() -> &'static str {
    let file = std::env::current_exe().unwrap_or_default();
    if file.file_name().is_some_and(|name| name == INSTALLED) { INSTALLED } else { IN_A_CHECKOUT }
}

/// A text that names the program, by what it is called here.
pub fn by_name(text: &str) -> Cow<'_, str> {
    match called() {
        IN_A_CHECKOUT => Cow::Borrowed(text),
        name => Cow::Owned(text.replace(IN_A_CHECKOUT, name)),
    }
}

/// A line on stderr, in one write. It quotes programs and names of files: what can not be seen in it is escaped, and
/// an address is shown without its account (`http://user:password@host`).
pub fn note(text: impl Display) {
    bytes(visible(&without_accounts(&by_name(&format!("{text}\n")))).as_bytes());
}

/// What another program said, on stderr as it is.
pub fn bytes(said: &[u8]) {
    drop(std::io::stderr().write_all(said));
}

/// A result, on stdout. A reader that went away (`| head`) wants no more of it, which is no error.
///
/// # Errors
/// When it can not be written for another reason.
pub fn result(bytes: &[u8]) -> anyhow::Result<()> {
    write_result(&mut std::io::stdout().lock(), bytes)
}

fn write_result(stdout: &mut impl Write, bytes: &[u8]) -> anyhow::Result<()> {
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("can not write the result to stdout"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        drop(reader);
        write_result(&mut writer, b"x").unwrap();
        let mut full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let error = write_result(&mut full, b"x").unwrap_err();
        assert!(format!("{error:#}").contains("stdout"), "{error:#}");
    }
}
