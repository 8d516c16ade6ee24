//! Containers that come and go, one after the other: what is there after each so many of them.

use std::time::Duration;

use anyhow::Context as _;

use super::Experiment;
use super::reading::Numbers;
use crate::clock::Stopwatch;
use crate::cmd::Cmd;
use crate::console;
use crate::measure::runs::Start;
use crate::measure::single::{self, Attempt};
use crate::plan::Slot;
use results::RunStatus;
use results::density::{ChurnReading, Line};

/// How many readings there are after the first one.
const READINGS: u32 = 20;
/// Containers before the first reading: what is paid once (a heap that finds its size, caches) is no growth.
const WARMUP: u32 = 50;
/// How long what has ended may take to be gone before a reading.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// So many containers that fail one after the other are no accident: the case is given up.
const HOPELESS: u32 = 3;

/// Containers that did not run. One of some hundreds may fail, and the others still tell what grows.
#[derive(Debug, Default)]
struct Failures {
    count: u32,
    in_a_row: u32,
    /// The first one's number and reason.
    first: Option<(u32, String)>,
}

impl Failures {
    fn ran(&mut self) {
        self.in_a_row = 0;
    }

    /// Fails with the same error where it is no use to go on.
    fn failed(&mut self, number: u32, error: anyhow::Error) -> anyhow::Result<()> {
        self.count += 1;
        self.in_a_row += 1;
        self.first.get_or_insert_with(|| (number, format!("{error:#}")));
        if self.in_a_row < HOPELESS { Ok(()) } else { Err(error) }
    }

    /// What is to be said of them, of so many containers in all.
    fn told(&self, all: u32) -> Option<String> {
        let (number, reason) = self.first.as_ref()?;
        Some(format!("{} of {all} containers did not run, the first as number {number}: {reason}", self.count))
    }
}

impl Experiment<'_> {
    /// The containers of each case, one case after the other.
    pub(super) fn churn(&mut self) -> anyhow::Result<RunStatus> {
        for slot in self.runs.schedule.round(0) {
            if self.barred.contains_key(&slot.place) {
                continue;
            }
            let case = self.case(slot);
            console::note(format_args!("{} containers of {case}", WARMUP + self.plan.churn));
            match self.churn_of(slot) {
                Ok(true) => {}
                Ok(false) => return Ok(RunStatus::Interrupted),
                Err(error) => self.give_up(slot.place, &error)?,
            }
        }
        Ok(RunStatus::Complete)
    }

    /// False when somebody wished to stop.
    fn churn_of(&mut self, slot: Slot) -> anyhow::Result<bool> {
        let before = self.there()?;
        let step = (self.plan.churn / READINGS).max(1);
        let mut failures = Failures::default();
        for number in 0..WARMUP + self.plan.churn {
            if self.stop.is_requested() {
                return Ok(false);
            }
            if number >= WARMUP && (number - WARMUP).is_multiple_of(step) {
                self.churn_reading(slot, number - WARMUP)?;
            }
            match self.come_and_go(slot, number) {
                Ok(()) => failures.ran(),
                Err(error) => {
                    console::note(format_args!("{}: {error:#}", self.case(slot)));
                    failures.failed(number, error)?;
                }
            }
            self.reap();
        }
        self.churn_reading(slot, self.plan.churn)?;
        let told = failures.told(WARMUP + self.plan.churn);
        self.short.extend(told.map(|reason| super::row(self.runs, slot.place, Some("containers"), &reason)));
        self.compare_left(slot, &before)?;
        Ok(true)
    }

    fn churn_reading(&mut self, slot: Slot, containers: u32) -> anyhow::Result<()> {
        let clock = Stopwatch::start();
        while self.scene.others().is_ok_and(|others| !others.is_empty()) && clock.elapsed() < SETTLE_LIMIT {
            std::thread::sleep(LOOK);
            self.reap();
        }
        let Numbers { values, not_read } = self.scene.churn();
        self.write(&Line::Churn(ChurnReading { case: self.case(slot), containers, values, not_read }))
    }

    /// One container, as `bench` runs it.
    fn come_and_go(&self, slot: Slot, number: u32) -> anyhow::Result<()> {
        let start = self.runs.start(slot.place);
        if !matches!(start, Start::Container { .. }) {
            anyhow::bail!("it makes no container that could leave something behind");
        }
        let ctr = self.ctr.context("no containerd is running")?;
        let id = self.id(slot, &format!("k{number}"));
        let of = (self.runs.bench(slot.place), &self.runs.cell(slot.place).case);
        if let Some(reason) = single::obstacle(start, of) {
            anyhow::bail!("{reason}");
        }
        let run = single::container(start, of, &Attempt::plain(&id), |container| ctr.run(container))?;
        let limit = Duration::from_millis(self.runs.timeout_ms);
        let cmd = Cmd::new(&run.program).bare().args(&run.args).limit(limit);
        if let Err(error) = cmd.run() {
            ctr.remove(&id)?;
            return Err(error.context(format!("container {number} did not run")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One container of 550, whose runtime failed, ended the readings of its case.
    #[test]
    fn one_that_fails_is_told_and_three_in_a_row_end_it() {
        let mut failures = Failures::default();
        assert_eq!(failures.told(550), None);
        failures.failed(86, anyhow::anyhow!("reset by peer")).unwrap();
        failures.failed(87, anyhow::anyhow!("again")).unwrap();
        failures.ran();
        failures.failed(400, anyhow::anyhow!("again")).unwrap();
        let told = failures.told(550).unwrap();
        assert_eq!(told, "3 of 550 containers did not run, the first as number 86: reset by peer");
        failures.failed(401, anyhow::anyhow!("again")).unwrap();
        assert_eq!(failures.failed(402, anyhow::anyhow!("at last")).unwrap_err().to_string(), "at last");
    }
}
