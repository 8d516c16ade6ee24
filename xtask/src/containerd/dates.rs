//! When containerd did what for a container: its own events, by its own dates.
//!
//! containerd, its shims and this program read one kernel's clock of the time of day, so an event's date is as good as a
//! clock reading of ours; when its line arrives does not matter.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use time::{Date, Month};

use super::Ctr;
use super::events::listen;
use crate::clock::Stopwatch;
use crate::cmd::Following;
use results::timeline::mark;

/// How long events may be on their way when the run is over.
const LIMIT: Duration = Duration::from_secs(1);

/// What containerd publishes, and what it marks.
const TOPICS: [(&str, &str); 8] = [
    ("/snapshot/prepare", mark::SNAPSHOT_PREPARED),
    ("/containers/create", mark::CONTAINER_CREATED),
    ("/tasks/create", mark::TASK_CREATED),
    ("/tasks/start", mark::TASK_STARTED),
    ("/tasks/exit", mark::TASK_EXITED),
    ("/tasks/delete", mark::TASK_DELETED),
    ("/snapshot/remove", mark::SNAPSHOT_REMOVED),
    ("/containers/delete", mark::CONTAINER_DELETED),
];

/// Listens, and dates.
#[derive(Debug)]
pub struct Dates {
    events: Following,
    namespace: String,
}

impl Dates {
    /// Begins to listen.
    ///
    /// # Errors
    /// When no event arrives.
    pub fn start(ctr: &Ctr) -> anyhow::Result<Self> {
        Ok(Self { events: listen(ctr)?, namespace: ctr.namespace.clone() })
    }

    /// The moments of a container that has run, by the clock of the time of day, in nanoseconds. Those that do not arrive
    /// in time are not there.
    ///
    /// # Errors
    /// When containerd does not show its events any more, or dates them in another way.
    pub fn of(&mut self, id: &str) -> anyhow::Result<BTreeMap<&'static str, i64>> {
        let mut moments = BTreeMap::new();
        let clock = Stopwatch::start();
        while moments.len() < TOPICS.len() {
            let Some(line) = self.events.line(LIMIT.saturating_sub(clock.elapsed()))? else { break };
            if let Some((topic, date)) = event(&line, &self.namespace, id) {
                let date = date.with_context(|| format!("`{line}` has no date that this program reads"))?;
                moments.entry(topic).or_insert(date);
            }
        }
        Ok(moments)
    }
}

/// `2026-11-23 10:15:00.123456789 +0000 UTC NAMESPACE /tasks/exit {"container_id":"r0-p3",…}`: what it marks, and its date.
fn event(line: &str, namespace: &str, id: &str) -> Option<(&'static str, anyhow::Result<i64>)> {
    let (head, body) = line.split_once(" {")?;
    let (date, topic) = head.split_once(&format!(" {namespace} "))?;
    let (_, marked) = TOPICS.into_iter().find(|(known, _)| *known == topic)?;
    let body: serde_json::Value = serde_json::from_str(&format!("{{{body}")).ok()?;
    // Of a task, of a container, of a snapshot.
    let named = ["container_id", "id", "key"].into_iter().find_map(|field| body[field].as_str())?;
    (named == id).then(|| (marked, nanoseconds(date)))
}

/// Go's `time.Time.String`: zeros at the end of the fraction are left out.
fn nanoseconds(date: &str) -> anyhow::Result<i64> {
    let text = date.strip_suffix(" +0000 UTC").context("it is not UTC")?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    ensure!(fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit()), "its fraction is no number");
    let fraction: i64 = format!("{fraction:0<9}").parse()?;
    let numbers: Vec<i64> = whole.split(['-', ' ', ':']).map(str::parse).collect::<Result<_, _>>()?;
    let &[year, month, day, hour, minute, second] = &numbers[..] else { anyhow::bail!("it has not six numbers") };
    let month = Month::try_from(u8::try_from(month)?)?;
    let day = Date::from_calendar_date(i32::try_from(year)?, month, u8::try_from(day)?)?;
    let day = day.with_hms(u8::try_from(hour)?, u8::try_from(minute)?, u8::try_from(second)?)?;
    Ok(day.assume_utc().unix_timestamp() * 1_000_000_000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_marks_a_moment_of_one_container_in_one_namespace() {
        let task = r#"2026-11-23 10:15:00.1 +0000 UTC ours /tasks/exit {"container_id":"t0-p3","id":"t0-p3","pid":7}"#;
        let found = event(task, "ours", "t0-p3").map(|(mark, date)| (mark, date.unwrap()));
        assert_eq!(found, Some((mark::TASK_EXITED, 1_795_428_900_100_000_000)));
        let made = r#"2026-11-23 10:15:00.000000001 +0000 UTC ours /containers/create {"id":"t0-p3","image":"x"}"#;
        assert_eq!(event(made, "ours", "t0-p3").unwrap().1.unwrap(), 1_795_428_900_000_000_001);
        let snapshot = r#"2026-11-23 10:15:00 +0000 UTC ours /snapshot/prepare {"key":"t0-p3","parent":"sha256:1"}"#;
        assert_eq!(event(snapshot, "ours", "t0-p3").unwrap().0, mark::SNAPSHOT_PREPARED);
        assert!(event(task, "theirs", "t0-p3").is_none() && event(task, "ours", "t0-p33").is_none());
        assert!(event(&task.replace("exit", "oom"), "ours", "t0-p3").is_none());
    }

    #[test]
    fn a_date_of_another_kind_is_refused() {
        for bad in ["2026-11-23 10:15:00 +0100 CET", "2026-11-23 10:15 +0000 UTC", "2026-13-23 10:15:00.x +0000 UTC"] {
            assert!(nanoseconds(bad).is_err(), "{bad}");
        }
    }
}
