//! A command that goes on in the background while its lines are read.

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::{Cmd, Running};
use crate::clock::Stopwatch;

/// What it writes to stdout, line by line; it is killed when this is dropped.
#[derive(Debug)]
pub struct Following {
    running: Running,
    stdout: File,
    buffer: Vec<u8>,
}

impl Cmd {
    /// Starts it and goes on, with its stdout to be read line by line meanwhile.
    ///
    /// # Errors
    /// When it can not be started.
    pub fn follow(&self) -> anyhow::Result<Following> {
        let (reader, writer) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context("can not make a pipe")?;
        let handle = self.expression()?.stdout_file(writer).start();
        let handle = handle.with_context(|| format!("can not start `{}`", self.program.to_string_lossy()))?;
        let running = Running { handle, line: self.to_string() };
        Ok(Following { running, stdout: File::from(reader), buffer: Vec::new() })
    }
}

impl Cmd {
    /// Starts it and goes on, with nowhere to write to: what it says is not kept.
    ///
    /// # Errors
    /// When it can not be started.
    pub fn silent(&self) -> anyhow::Result<Running> {
        let handle = self.expression()?.stdout_null().stderr_null().start();
        let handle = handle.with_context(|| format!("can not start `{}`", self.program.to_string_lossy()))?;
        Ok(Running { handle, line: self.to_string() })
    }
}

impl Following {
    /// Its process.
    ///
    /// # Errors
    /// When it has none.
    pub fn process(&self) -> anyhow::Result<u32> {
        self.running.process()
    }

    /// Its next line; `None` when it writes none in this time.
    ///
    /// # Errors
    /// When it has ended.
    pub fn line(&mut self, limit: Duration) -> anyhow::Result<Option<String>> {
        let clock = Stopwatch::start();
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
            }
            let left = limit.saturating_sub(clock.elapsed());
            match poll(&mut [PollFd::new(&self.stdout, PollFlags::IN)], Some(&left.try_into()?)) {
                Ok(0) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).with_context(|| format!("can not watch `{}`", self.running.line)),
                Ok(_) => {
                    let mut part = [0; 4096];
                    let count = self.stdout.read(&mut part)?;
                    if count == 0 {
                        bail!("`{}` ended", self.running.line);
                    }
                    self.buffer.extend_from_slice(&part[..count]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_while_a_command_goes_on() {
        let mut following = Cmd::new("sh").args(["-c", "echo one; echo two; exec sleep 60"]).follow().unwrap();
        let mut line = |limit| following.line(limit).unwrap();
        let (long, short) = (Duration::from_secs(20), Duration::from_millis(20));
        assert_eq!([line(long), line(long), line(short)], [Some("one".to_owned()), Some("two".to_owned()), None]);
        let error = Cmd::new("true").follow().unwrap().line(long).unwrap_err().to_string();
        assert!(error.contains("`true` ended"), "{error}");
    }
}
