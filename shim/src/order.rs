//! Three races of the library, decided by waiting at the places where the loser would otherwise overtake.
//!
//! The library offers no hook at any of them, but says there what it is about to do, through `tracing`: to events and
//! spans, which a subscriber may answer in the same thread before the library goes on. That is used here, so that
//! nothing of the library has to be replaced. Without a race each answer costs one look at a number.
//!
//! **While a container is made** (`libcontainer` 0.6): the process between, which makes the container's own process,
//! reports that it has; the container's process reports that it is ready; both through one socket. If the first is
//! held up after the fork, its report comes second, and the creation fails with `received unexpected message:
//! InitReady`. Here the container's process waits, just before it reports, until the process between has ended.
//!
//! **When a container has ended** (`containerd-shimkit` 0.1): everybody who waits for the end takes a lock for a moment
//! afterwards, one after the other. Who asks for the state and finds the lock taken is told `running`. So containerd's
//! client can be told the exit status by the first who passed the lock, ask for the state while the second, who holds
//! it, waits for a processor, and fail with `task must be stopped before deletion: running`. A deletion that meets the
//! same moment loses the exit status. Here both wait until everybody has passed.
//!
//! **When a container is made and over at once**: its output may have no reader yet (`output`).
//!
//! The library's spans do not say to which container they belong. They need not: a shim serves one (`bundle`).

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, getpid, pidfd_open};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use crate::{lifetime, marks, output};

/// How long the loser of a race is waited for. It needs nothing but a processor.
const LIMIT: Duration = Duration::from_secs(10);

/// Begins to watch for these races, in this process and in all that are forked from it.
pub fn keep() {
    if tracing::subscriber::set_global_default(Witness).is_err() {
        log::error!("somebody else listens to the library: three of its races are undecided");
    }
}

/// What the library says where it can be made to wait. The values are the identifiers of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Something in the process that a container's processes are forked from, or in one of these.
    Making = 1,
    /// The process between or the container's own enters a namespace.
    Entering = 2,
    /// The container's process has everything but its final capabilities. Its user is the final one.
    NearlyReady = 3,
    /// Somebody waits for a container's end, takes the lock, and has passed.
    Passing = 4,
    /// A request to wait for a container's end. When it is over the client knows of the end.
    Waiting = 5,
    /// A request for the state, whose answer depends on the lock being free.
    Asking = 6,
    /// A request to delete a container, which takes the exit status along only if the lock is free.
    Deleting = 7,
    /// A request to send a container a signal.
    Killing = 8,
    /// A request to make a container, which names its output.
    Creating = 9,
}

impl Sign {
    /// By the place in the library: its module, and for a span the function's name.
    fn of(metadata: &Metadata<'_>) -> Option<Self> {
        if metadata.is_event() {
            return match metadata.target() {
                "libcontainer::notify_socket" => Some(Self::Making),
                "libcontainer::namespaces" => Some(Self::Entering),
                "libcontainer::capabilities" => Some(Self::NearlyReady),
                _ => None,
            };
        }
        match (metadata.target(), metadata.name()) {
            ("containerd_shimkit::sandbox::shim::instance_data", "wait") => Some(Self::Passing),
            ("containerd_shimkit::sandbox::shim::local", "task_wait") => Some(Self::Waiting),
            ("containerd_shimkit::sandbox::shim::local", "task_state") => Some(Self::Asking),
            ("containerd_shimkit::sandbox::shim::local", "task_delete") => Some(Self::Deleting),
            ("containerd_shimkit::sandbox::shim::local", "task_kill") => Some(Self::Killing),
            ("containerd_shimkit::sandbox::shim::local", "task_create") => Some(Self::Creating),
            _ => None,
        }
    }
}

/// Who listens.
pub struct Witness;

/// What a span says of the request.
#[derive(Default)]
struct Request(String);

impl Visit for Request {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "req" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Witness {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Sign::of(metadata).is_some() { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Sign::of(metadata).is_some()
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::DEBUG)
    }

    fn event(&self, event: &Event<'_>) {
        match Sign::of(event.metadata()) {
            Some(Sign::Making) => {
                marks::note("content-fetched");
                lifetime::end_with_parent();
            }
            Some(Sign::Entering) => {
                marks::note("namespaces-entered");
                BETWEEN.is_here();
            }
            Some(Sign::NearlyReady) => {
                marks::note("container-prepared");
                BETWEEN.await_end();
                lifetime::end_with_parent();
            }
            _ => {}
        }
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let sign = Sign::of(attributes.metadata()).unwrap_or(Sign::Making);
        match sign {
            Sign::Passing => PASSAGE.change(|passage| passage.under_way += 1),
            Sign::Asking => PASSAGE.await_free(LIMIT),
            Sign::Deleting if PASSAGE.is_told() => PASSAGE.await_free(LIMIT),
            Sign::Deleting | Sign::Killing => lifetime::end_without_helpers(),
            Sign::Creating => {
                let mut request = Request::default();
                attributes.record(&mut request);
                output::await_readers(&request.0);
            }
            _ => {}
        }
        Id::from_u64(sign as u64)
    }

    fn try_close(&self, id: Id) -> bool {
        match id.into_u64() {
            id if id == Sign::Passing as u64 => {
                PASSAGE.change(|passage| passage.under_way = passage.under_way.saturating_sub(1));
            }
            id if id == Sign::Waiting as u64 => PASSAGE.change(|passage| passage.told = true),
            id if id == Sign::Creating as u64 => output::release(),
            _ => {}
        }
        true
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The process between, as the container's process inherits it from there.
static BETWEEN: Between = Between(Mutex::new(None));

struct Between(Mutex<Option<OwnedFd>>);

impl Between {
    /// The first to say so is the process between: it enters the PID namespace before it forks. What is forked from it
    /// inherits the handle, which works across PID namespaces.
    fn is_here(&self) {
        let mut handle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if handle.is_none() {
            *handle = pidfd_open(getpid(), PidfdFlags::empty())
                .inspect_err(|error| log::warn!("the making of a container can not be watched: {error}"))
                .ok();
        }
    }

    fn await_end(&self) {
        let handle = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(handle) = handle else { return };
        let limit = Timespec { tv_sec: i64::try_from(LIMIT.as_secs()).unwrap_or(i64::MAX), tv_nsec: 0 };
        match poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&limit)) {
            Ok(0) => log::warn!("a container's process did not outlive the one that made it"),
            Ok(_) => {}
            Err(error) => log::warn!("the process that made a container's can not be waited for: {error}"),
        }
    }
}

/// Who waits for the end of this shim's container.
static PASSAGE: Passage = Passage::new();

#[derive(Debug)]
struct Passage(Mutex<Counts>, Condvar);

#[derive(Debug)]
struct Counts {
    /// Waiters who have not passed the lock yet.
    under_way: u32,
    /// Whether the client knows of the end: then every waiter is about to pass.
    told: bool,
}

impl Passage {
    const fn new() -> Self {
        Self(Mutex::new(Counts { under_way: 0, told: false }), Condvar::new())
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.1.notify_all();
    }

    fn is_told(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).told
    }

    /// Returns when nobody who knows of the end can hold the lock.
    fn await_free(&self, limit: Duration) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = |counts: &mut Counts| counts.told && counts.under_way > 0;
        let waited = self.1.wait_timeout_while(counts, limit, taken).unwrap_or_else(PoisonError::into_inner);
        if waited.1.timed_out() {
            log::warn!("somebody who waits for the container's end does not learn of it");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Passage;

    /// A shim whose container has ended, with one waiter who has not passed yet.
    fn ended() -> Passage {
        let passage = Passage::new();
        passage.change(|counts| {
            counts.under_way = 1;
            counts.told = true;
        });
        passage
    }

    #[test]
    fn a_question_is_answered_when_the_last_waiter_has_passed() {
        let passage = ended();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| passage.await_free(Duration::from_mins(1)));
            assert!(!asked.is_finished());
            passage.change(|counts| counts.under_way = 0);
            asked.join().expect("no panic");
        });
    }

    #[test]
    fn nobody_waits_while_the_container_runs() {
        let running = Passage::new();
        running.change(|counts| counts.under_way = 2);
        // With a minute to wait this would not return in time for anybody.
        running.await_free(Duration::from_mins(1));
    }

    #[test]
    fn a_waiter_that_never_passes_does_not_hold_up_for_ever() {
        ended().await_free(Duration::from_millis(1));
    }
}
