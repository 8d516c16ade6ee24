//! A terminal that nobody sits at: it answers the one question of `ctr`, "Password: ".
//!
//! `ctr` takes a password as an argument, which every user of the machine can read, or from a terminal. The header of a
//! `hosts.toml` would be a third way, but only for registries that want the password itself with each request; most of
//! the public ones want it in exchange for a token, which `ctr` does with what was answered here.

use std::fs::File;
use std::os::fd::OwnedFd;

use anyhow::{Context as _, ensure};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::secret::Secret;

/// A terminal hands over whole lines, of at most 4,095 bytes.
const LONGEST: usize = 4_000;

/// A terminal on which the password was typed already.
#[derive(Debug)]
pub struct Prompt {
    /// Our end. What was typed is gone with it, read or not.
    _typed: OwnedFd,
    /// The other end, for a program's stdin.
    stdin: File,
}

impl Prompt {
    /// Opens a terminal and types the password and the Enter key. It is no process's controlling terminal.
    ///
    /// # Errors
    /// When there is no terminal to be had, or the password can not be typed.
    pub fn answering(password: &Secret) -> anyhow::Result<Self> {
        let text = password.expose();
        ensure!(
            text.len() <= LONGEST && !text.chars().any(char::is_control),
            "`ctr` can not be given this registry's password: it has more than {LONGEST} bytes, or a control character"
        );
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let typed = openpt(flags).context("can not open a terminal for the password that `ctr` asks for")?;
        grantpt(&typed).and_then(|()| unlockpt(&typed)).context("can not unlock a terminal")?;
        let stdin = ioctl_tiocgptpeer(&typed, flags).context("can not open the other end of a terminal")?;
        // Else the password would be shown on our end, and wait there to be read.
        let mut modes = tcgetattr(&stdin)?;
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        tcsetattr(&stdin, OptionalActions::Now, &modes)?;
        let line = format!("{text}\n");
        let written = rustix::io::write(&typed, line.as_bytes()).context("can not type the password")?;
        ensure!(written == line.len(), "the password was typed in part only");
        Ok(Self { _typed: typed, stdin: File::from(stdin) })
    }

    /// The end for a program's stdin.
    pub fn stdin(&self) -> anyhow::Result<File> {
        Ok(self.stdin.try_clone()?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cmd::Cmd;

    #[test]
    fn a_program_reads_the_password_from_its_terminal_and_nothing_is_echoed() {
        let longest = "ä".repeat(LONGEST / 2);
        for password in ["hunter:2 $!", "", &longest] {
            let prompt = Prompt::answering(&Secret::new(password)).unwrap();
            let script = "test -t 0 && IFS= read -r line && printf %s \"$line\"";
            let cmd = Cmd::new("sh").args(["-c", script]).stdin_file(prompt.stdin().unwrap());
            assert_eq!(cmd.limit(Duration::from_secs(20)).run().unwrap().stdout, password.as_bytes());
            let mut echoed = [0; 64];
            let Prompt { _typed: typed, .. } = &prompt;
            rustix::io::ioctl_fionbio(typed, true).unwrap();
            assert_eq!(rustix::io::read(typed, &mut echoed), Err(rustix::io::Errno::AGAIN));
        }
    }

    #[test]
    fn what_can_not_be_typed_is_refused_and_not_shown() {
        for password in ["hun\nter", "hun\u{3}ter", &"hunter".repeat(1000)] {
            let error = format!("{:#}", Prompt::answering(&Secret::new(password)).unwrap_err());
            assert!(!error.contains("hun") && error.contains("control character"), "{error}");
        }
    }
}
