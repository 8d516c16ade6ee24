//! What Cargo says while it builds, line by line: how far it is, what is only of interest while nothing else is, and what
//! a person has to read.
//!
//! Cargo itself ends with an error when its own stderr is full or closed. So nobody gives it theirs: it gets a pipe, and
//! whoever reads that decides what becomes of a line.

use std::io::{BufRead, BufReader, Read};

/// With these in its environment Cargo draws its progress into a pipe as well.
pub const SETTINGS: [(&str, &str); 2] = [("CARGO_TERM_PROGRESS_WHEN", "always"), ("CARGO_TERM_PROGRESS_WIDTH", "100")];

/// One line of what Cargo says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CargoLine {
    /// So many of so many compilations are done.
    Built {
        /// Done.
        done: u64,
        /// All, those included.
        total: u64,
    },
    /// Cargo waits for something, or fetches: worth a line when it is another one than before.
    Waits(String),
    /// What it compiles, and that it has finished: what [`CargoLine::Built`] says better.
    Status,
    /// A warning, an error, a line of either.
    Other(String),
}

/// Reads Cargo's stderr to its end, a line or a drawn progress at a time.
///
/// # Errors
/// When it can not be read.
pub fn follow(stderr: impl Read, mut each: impl FnMut(CargoLine)) -> std::io::Result<()> {
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        // A progress is drawn over the one before it, and a line over the last.
        for part in String::from_utf8_lossy(&line).split('\r') {
            let part = part.trim_end();
            if !part.is_empty() {
                each(parse(part));
            }
        }
        line.clear();
    }
    Ok(())
}

fn parse(line: &str) -> CargoLine {
    let text = line.trim_start();
    let verb = text.split(' ').next().unwrap_or_default();
    // Cargo sets its verbs to the right of a column of 12; what a compiler says is not set so.
    let is_status = line.len() - text.len() == 12_usize.saturating_sub(verb.len()) && line.starts_with(' ');
    match verb {
        "Building" if is_status => built(text).unwrap_or(CargoLine::Status),
        "Compiling" | "Finished" | "Fresh" | "Dirty" | "Downloaded" | "Running" | "Installing" | "Installed"
        | "Replacing" | "Replaced"
            if is_status =>
        {
            CargoLine::Status
        }
        "Blocking" | "Updating" | "Locking" if is_status => CargoLine::Waits(text.to_owned()),
        // What else stands there is how much is left, which changes with each drawing.
        "Downloading" if is_status => CargoLine::Waits("Downloading crates".to_owned()),
        _ => CargoLine::Other(line.to_owned()),
    }
}

/// `Building [===>   ] 12/287: serde, clap`.
fn built(text: &str) -> Option<CargoLine> {
    let (_, counts) = text.split_once("] ")?;
    let (done, total) = counts.split(':').next()?.split_once('/')?;
    Some(CargoLine::Built { done: done.trim().parse().ok()?, total: total.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(text: &str) -> Vec<CargoLine> {
        let mut followed = Vec::new();
        follow(text.as_bytes(), |line| followed.push(line)).unwrap();
        followed
    }

    #[test]
    fn progress_is_told_from_what_has_to_be_read() {
        let text = "   Compiling a v0.1.0 (/x/a)\n    Building [     ] 0/3: a      \r   Compiling b v0.1.0\n    \
                    Building [==>  ] 1/3: b      \rwarning: unused variable: `x`\n --> a/src/lib.rs:1:17\n  |\n    \
                    Finished `dev` profile in 0.32s\n";
        assert_eq!(
            followed(text),
            [
                CargoLine::Status,
                CargoLine::Built { done: 0, total: 3 },
                CargoLine::Status,
                CargoLine::Built { done: 1, total: 3 },
                CargoLine::Other("warning: unused variable: `x`".to_owned()),
                CargoLine::Other(" --> a/src/lib.rs:1:17".to_owned()),
                CargoLine::Other("  |".to_owned()),
                CargoLine::Status,
            ]
        );
    }

    #[test]
    fn waiting_and_fetching_are_told_without_what_changes() {
        let text = "    Blocking waiting for file lock on build directory\n Downloading [==>   ] 3 crates, remaining \
                    bytes: 1.2 MB\r Downloading 16 crates\r Downloading crates ...\n  Downloaded serde v1.0.0\n";
        assert_eq!(
            followed(text),
            [
                CargoLine::Waits("Blocking waiting for file lock on build directory".to_owned()),
                CargoLine::Waits("Downloading crates".to_owned()),
                CargoLine::Waits("Downloading crates".to_owned()),
                CargoLine::Waits("Downloading crates".to_owned()),
                CargoLine::Status,
            ]
        );
    }

    #[test]
    fn a_compilers_line_that_begins_like_a_status_is_kept() {
        assert_eq!(followed("Compiling this took long\n"), [CargoLine::Other("Compiling this took long".to_owned())]);
    }
}
