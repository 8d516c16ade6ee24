//! Where a run writes to: two anonymous memory files, read after its clock has stopped.
//!
//! They are as large as they may become and sealed at that: no page of them exists before it is written, and a write
//! beyond their end fails with `EPERM`. A limit on the program's file sizes (`RLIMIT_FSIZE`) would be the program's, not
//! the output's, and would have to be set between its start and its first instruction.

use std::fs::File;
use std::io::{Read as _, Seek as _};

use anyhow::Context as _;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create, tell};

/// How many bytes a run may write to either stream.
pub const OUTPUT_LIMIT_BYTES: u64 = 16 << 20;

/// What a memory file takes: a page more, so that a file that holds more than the limit was written beyond it.
pub const OUTPUT_FILE_BYTES: u64 = OUTPUT_LIMIT_BYTES + 4096;

/// Stdout and stderr of a run.
#[derive(Debug)]
pub struct Outputs {
    /// Stdout.
    pub stdout: File,
    /// Stderr.
    pub stderr: File,
}

impl Outputs {
    /// Empty ones.
    ///
    /// # Errors
    /// When there is no file descriptor or memory to be had.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { stdout: memory_file("stdout")?, stderr: memory_file("stderr")? })
    }

    /// Whether more was written to either than is kept.
    pub fn flooded(&self) -> bool {
        [&self.stdout, &self.stderr].into_iter().any(|file| tell(file).is_ok_and(|end| end > OUTPUT_LIMIT_BYTES))
    }
}

fn memory_file(name: &str) -> anyhow::Result<File> {
    let file = || {
        let file = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, OUTPUT_FILE_BYTES)?;
        fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok::<_, rustix::io::Errno>(file)
    };
    Ok(File::from(file().context("can not make a memory file for output")?))
}

/// What was written. The program and we share one position in the file: it is where the program's writes ended.
///
/// # Errors
/// When it can not be read.
pub fn written(mut file: &File) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let end = tell(file)?;
    file.rewind()?;
    file.take(end).read_to_end(&mut bytes)?;
    Ok(bytes)
}
