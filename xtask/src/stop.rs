//! The wish to stop, as a file descriptor that a running measurement can poll: Ctrl-C, SIGTERM, or a byte
//! on the lifeline from the process that started this one.

use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// How long a measuring process may clean up after the one that started it is gone.
pub const ORPHAN_LIMIT: Duration = Duration::from_secs(5);

/// Set once, never unset.
#[derive(Debug)]
pub struct Stop(OwnedFd);

impl Stop {
    /// A wish that only [`Stop::request`] makes.
    pub fn never() -> anyhow::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).context("can not make an eventfd")?))
    }

    /// A wish that Ctrl-C and SIGTERM make. Both stop killing this process.
    pub fn on_signals() -> anyhow::Result<Self> {
        let stop = Self::never()?;
        let mut signals =
            signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM])
                .context("can not watch for Ctrl-C")?;
        let wish = stop.another()?;
        std::thread::spawn(move || {
            for _ in signals.forever() {
                if wish.request().is_err() {
                    std::process::exit(130);
                }
            }
        });
        Ok(stop)
    }

    /// Makes the wish, for every handle.
    pub fn request(&self) -> anyhow::Result<()> {
        rustix::io::write(&self.0, &1u64.to_ne_bytes()).context("can not ask the measurement to stop")?;
        Ok(())
    }

    /// Returns when the wish is made.
    pub fn wait(&self) -> anyhow::Result<()> {
        loop {
            let mut fds = [PollFd::new(self, PollFlags::IN)];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => {}
                other => return other.map(|_| ()).context("can not wait for the wish to stop"),
            }
        }
    }

    /// Another handle to the same wish.
    pub fn another(&self) -> anyhow::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Whether the wish was made.
    pub fn is_requested(&self) -> bool {
        let mut fds = [PollFd::new(self, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }

    /// Ties this process to the one that holds the other end of its stdin: a byte there is the wish to stop.
    /// Its end means that the other process is gone: this one may clean up, and ends within [`ORPHAN_LIMIT`].
    pub fn follow_lifeline(&self) -> anyhow::Result<()> {
        let wish = self.another()?;
        std::thread::spawn(move || {
            let mut byte = [0];
            while std::io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {
                if wish.request().is_err() {
                    break;
                }
            }
            if wish.request().is_ok() {
                std::thread::sleep(ORPHAN_LIMIT);
            }
            std::process::exit(137);
        });
        Ok(())
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
