//! Ends a run that reached its time limit, or that we were asked to stop, without a system call in the timed region.
//!
//! A thread sleeps until a timer fires or the wish to stop is made; in a run that ends by itself it never wakes. Waiting
//! for the child with a pidfd and `poll` instead costs 5 to 9 µs of a run of 90 µs, because the waiter is woken twice.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::process::{Pid, Signal, kill_process_group};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::stop::Stop;

/// Why a run was ended by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It reached its time limit.
    Limit,
    /// We were asked to stop.
    Stop,
}

const NOT_CUT: u8 = 0;
const CUT_AT_LIMIT: u8 = 1;
const CUT_BY_STOP: u8 = 2;

#[derive(Debug, Default)]
struct Watched {
    /// The process group that runs; 0 between runs.
    group: AtomicI32,
    cut: AtomicU8,
}

impl Watched {
    fn cut(&self, reason: u8) {
        self.cut.store(reason, Ordering::SeqCst);
        self.kill();
    }

    fn kill(&self) {
        if let Some(group) = Pid::from_raw(self.group.load(Ordering::SeqCst))
            && let Err(error) = kill_process_group(group, Signal::KILL)
            // It ended in the same moment.
            && error != rustix::io::Errno::SRCH
        {
            crate::console::note(format_args!("can not end a run: {error}"));
        }
    }
}

/// Watches one run at a time.
#[derive(Debug)]
pub struct Watchdog {
    watched: Arc<Watched>,
    timer: Arc<OwnedFd>,
    quit: Arc<OwnedFd>,
}

impl Watchdog {
    /// Begins to watch for `stop`.
    ///
    /// # Errors
    /// When there is no file descriptor or thread to be had.
    pub fn start(stop: &Stop) -> anyhow::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC).context("can not make a timer")?;
        let quit = eventfd(0, EventfdFlags::CLOEXEC).context("can not make an eventfd")?;
        let watchdog = Self { watched: Arc::default(), timer: Arc::new(timer), quit: Arc::new(quit) };
        let (watched, timer, quit) = (watchdog.watched.clone(), watchdog.timer.clone(), watchdog.quit.clone());
        let stop = stop.another()?;
        std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || watch(&watched, &timer, &quit, &stop))
            .context("can not start the watchdog's thread")?;
        Ok(watchdog)
    }

    /// Before the clock starts: the next run may take so long.
    pub fn arm(&self, limit: Duration) -> anyhow::Result<()> {
        // A wish to stop stays; a limit belongs to the run that reached it.
        self.watched
            .cut
            .compare_exchange(CUT_AT_LIMIT, NOT_CUT, Ordering::SeqCst, Ordering::SeqCst)
            .unwrap_or_default();
        self.set_timer(limit)
    }

    /// The run has begun. Two atomic operations.
    pub fn began(&self, group: Pid) {
        self.watched.group.store(group.as_raw_nonzero().get(), Ordering::SeqCst);
        if self.watched.cut.load(Ordering::SeqCst) != NOT_CUT {
            self.watched.kill();
        }
    }

    /// The run was reaped: whether we ended it.
    pub fn ended(&self) -> anyhow::Result<Option<Cut>> {
        self.watched.group.store(0, Ordering::SeqCst);
        self.set_timer(Duration::ZERO)?;
        Ok(match self.watched.cut.load(Ordering::SeqCst) {
            CUT_AT_LIMIT => Some(Cut::Limit),
            CUT_BY_STOP => Some(Cut::Stop),
            _ => None,
        })
    }

    /// Zero disarms.
    fn set_timer(&self, limit: Duration) -> anyhow::Result<()> {
        let at = Timespec { tv_sec: i64::try_from(limit.as_secs())?, tv_nsec: limit.subsec_nanos().into() };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: at };
        timerfd_settime(&*self.timer, TimerfdTimerFlags::empty(), &once).context("can not set the time limit")?;
        Ok(())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Err(error) = rustix::io::write(&*self.quit, &1u64.to_ne_bytes()) {
            crate::console::note(format_args!("can not end the watchdog: {error}"));
        }
    }
}

fn watch(watched: &Watched, timer: &OwnedFd, quit: &OwnedFd, stop: &Stop) {
    let mut stopped = false;
    loop {
        // The wish to stop is never taken back: it is looked at once.
        let wish = if stopped { quit.as_fd() } else { stop.as_fd() };
        let mut fds = [
            PollFd::new(quit, PollFlags::IN),
            PollFd::new(timer, PollFlags::IN),
            PollFd::from_borrowed_fd(wish, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return crate::console::note(format_args!("the watchdog can not watch: {error}")),
            Ok(_) => {}
        }
        if !fds[0].revents().is_empty() {
            return;
        }
        if !fds[2].revents().is_empty() {
            stopped = true;
            watched.cut(CUT_BY_STOP);
        } else if rustix::io::read(timer, &mut [0; 8]).is_ok() {
            watched.cut(CUT_AT_LIMIT);
        }
    }
}
