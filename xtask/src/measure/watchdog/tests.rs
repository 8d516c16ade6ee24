//! The interleavings of the watching thread with the end of a run, each made step by step: the thread's steps are
//! called here, in the order that a scheduler could choose.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command};
use std::sync::mpsc::channel;

use super::*;

const LONG: Duration = Duration::from_mins(1);

fn watched() -> Arc<Watched> {
    Arc::new(Watched::new().unwrap())
}

fn arm(watched: &Watched, limit: Duration) -> anyhow::Result<WatchedRun> {
    watched.arm(limit, &Arc::new(Outputs::new().unwrap()))
}

/// A run that waits to be killed.
#[expect(clippy::disallowed_methods, reason = "a run to be watched")]
fn child() -> (Child, Pid) {
    let child = Command::new("/bin/sleep").arg("66.5").process_group(0).spawn().unwrap();
    let group = Pid::from_child(&child);
    (child, group)
}

/// The signal that ended it: ours, unless the watchdog was there before (SIGKILL is delivered first).
fn ended_by(child: &mut Child, group: Pid) -> Option<i32> {
    kill_process_group(group, Signal::TERM).unwrap();
    child.wait().unwrap().signal()
}

/// Returns when the timer has fired: the moment in which the watching thread wakes.
fn wait_for_timer(watched: &Watched) {
    poll(&mut [PollFd::new(&watched.timer, PollFlags::IN)], None).unwrap();
}

/// Arms a run whose limit is over at once, and ends it before the thread that was woken does anything.
fn ended_before_the_thread_acts(watched: &Watched) {
    let run = arm(watched, Duration::from_nanos(1)).unwrap();
    wait_for_timer(watched);
    assert_eq!(watched.ended(&run).unwrap(), None);
}

/// The thread does what it was woken for, long after. It must not be kept by it.
fn thread_acts(watched: &Arc<Watched>, act: fn(&Watched)) {
    let (acted, end) = channel();
    let watched = watched.clone();
    std::thread::spawn(move || {
        act(&watched);
        acted.send(()).unwrap();
    });
    end.recv_timeout(Duration::from_secs(10)).expect("the thread blocks in a read of the timer");
}

#[test]
fn a_thread_that_wakes_when_the_timer_was_disarmed_does_not_block_and_sees_the_wish_to_stop() {
    let watched = watched();
    ended_before_the_thread_acts(&watched);
    thread_acts(&watched, Watched::timer_fired);
    thread_acts(&watched, Watched::stop_wished);
    let run = arm(&watched, LONG).unwrap();
    let (mut child, group) = child();
    watched.began(&run, group);
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(watched.ended(&run).unwrap(), Some(Cut::Stop));
}

#[test]
fn a_late_cut_does_not_reach_the_next_run() {
    let watched = watched();
    ended_before_the_thread_acts(&watched);
    let run = arm(&watched, LONG).unwrap();
    let (mut child, group) = child();
    watched.began(&run, group);
    thread_acts(&watched, Watched::timer_fired);
    assert_eq!(ended_by(&mut child, group), Some(15));
    assert_eq!(watched.ended(&run).unwrap(), None);
}

#[test]
fn a_late_cut_does_not_reach_a_run_that_is_armed_and_has_not_begun() {
    let watched = watched();
    ended_before_the_thread_acts(&watched);
    let run = arm(&watched, LONG).unwrap();
    thread_acts(&watched, Watched::timer_fired);
    let (mut child, group) = child();
    watched.began(&run, group);
    assert_eq!(ended_by(&mut child, group), Some(15));
    assert_eq!(watched.ended(&run).unwrap(), None);
}

#[test]
fn a_limit_that_is_over_before_the_run_begins_ends_it() {
    let watched = watched();
    let run = arm(&watched, Duration::from_nanos(1)).unwrap();
    wait_for_timer(&watched);
    thread_acts(&watched, Watched::timer_fired);
    let (mut child, group) = child();
    watched.began(&run, group);
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(watched.ended(&run).unwrap(), Some(Cut::Limit));
}

#[test]
fn the_end_of_a_run_that_is_no_longer_watched_is_an_error() {
    let watched = watched();
    let first = arm(&watched, LONG).unwrap();
    let second = arm(&watched, LONG).unwrap();
    assert!(watched.ended(&first).unwrap_err().to_string().contains("run 2 is watched"));
    assert_eq!(watched.ended(&second).unwrap(), None);
}

#[test]
fn a_watchdog_that_can_not_watch_lets_nothing_begin() {
    let watched = watched();
    watched.failed(&"no memory");
    assert!(arm(&watched, LONG).unwrap_err().to_string().contains("no memory"));
}
