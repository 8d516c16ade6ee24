//! The levels of one case in one repetition: starts until so many wait, a hold, a reading, and so on; then starts at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context as _;

use super::counters;
use super::instances::{Charged, Instance, Starter};
use super::processes::Known;
use super::{Experiment, Ready};
use crate::clock::Stopwatch;
use crate::plan::Slot;
use results::density::{AtOnce, Line, Reading, Start};

/// Memory that stays free whatever an estimate says.
const RESERVE_BYTES: u64 = 512 << 20;

/// What is to be done with a program of somebody's own that does not wait.
const WAY_OUT: &str = ": what is counted has to be there until it is ended, with nothing on its standard input; give it \
                       arguments with which it waits, and see in `bench` what one run uses that ends (memory, processor time)";

/// What a repetition of a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything was read.
    Done,
    /// Somebody wished to stop.
    Stopped,
    /// Not all levels, for this reason.
    Short(String),
}

impl Experiment<'_> {
    /// One case in one repetition. Whatever happens, nothing of it goes on afterwards.
    pub(super) fn repetition(&mut self, slot: Slot) -> anyhow::Result<Ended> {
        let memory = self.scene.memory.clone().ok();
        let starter =
            Starter { runs: self.runs, place: slot.place, ctr: self.ctr, memory: memory.as_ref(), ready: self.ready };
        let mut instances = Vec::new();
        self.reap();
        let there = self.there()?;
        let ended = self.levels(slot, starter, &mut instances);
        self.stop_all(starter, instances)?;
        let ended = ended?;
        if ended == Ended::Stopped {
            return Ok(ended);
        }
        for at_once in self.plan.at_once.clone() {
            if self.stop.is_requested() {
                return Ok(Ended::Stopped);
            }
            self.batch(slot, starter, at_once)?;
        }
        self.compare_left(slot, &there)?;
        Ok(ended)
    }

    fn levels(&mut self, slot: Slot, starter: Starter<'_>, instances: &mut Vec<Instance>) -> anyhow::Result<Ended> {
        self.read(slot, &[])?;
        let used_before = counters::host_used_bytes(&self.scene.proc).unwrap_or(0);
        for level in self.plan.levels.clone() {
            if let Some(reason) = self.lacks_memory(instances.len(), level, used_before) {
                return Ok(Ended::Short(reason));
            }
            while instances.len() < level as usize {
                if self.stop.is_requested() {
                    return Ok(Ended::Stopped);
                }
                let n = u32::try_from(instances.len())? + 1;
                let id = self.id(slot, &n.to_string());
                let (instance, start_ns) = match starter.start(&id, Charged::Alone) {
                    Ok(begun) => begun,
                    // What may be there of it is removed with the others.
                    Err(error) => {
                        instances.push(Instance::unstarted(id));
                        return Err(error.context(format!("instance {n} did not start")));
                    }
                };
                instances.push(instance);
                self.write(&Line::Start(Start { case: self.case(slot), repetition: slot.round, n, start_ns }))?;
            }
            if !self.pause(Duration::from_millis(self.plan.settle_ms))? {
                return Ok(Ended::Stopped);
            }
            let known: Vec<Known> = instances.iter().map(|instance| instance.known.clone()).collect();
            if !self.read(slot, &known)? {
                return Ok(Ended::Stopped);
            }
        }
        Ok(Ended::Done)
    }

    /// One reading; false when somebody wished to stop meanwhile.
    fn read(&mut self, slot: Slot, instances: &[Known]) -> anyhow::Result<bool> {
        self.reap();
        let (before, clock) = (self.scene.before(instances), Stopwatch::start());
        if !self.pause(Duration::from_millis(self.plan.hold_ms))? {
            return Ok(false);
        }
        let hold_ns = clock.elapsed_ns();
        let numbers = self.scene.after(&before, instances);
        if let Some(reason) = self.scene.ended(instances) {
            let way_out = if self.ready == Ready::AtOnce { WAY_OUT } else { "" };
            anyhow::bail!("{reason}{way_out}");
        }
        self.write(&Line::Reading(Reading {
            case: self.case(slot),
            repetition: slot.round,
            position: slot.position,
            n: u32::try_from(instances.len())?,
            hold_ns,
            values: numbers.values,
            not_read: numbers.not_read,
        }))?;
        Ok(true)
    }

    /// Why the next level would not fit, by what each instance took so far (and at least what it will write to).
    fn lacks_memory(&self, there: usize, level: u32, used_before: u64) -> Option<String> {
        let available = counters::available_bytes(&self.scene.proc)?;
        let used = counters::host_used_bytes(&self.scene.proc).ok()?.saturating_sub(used_before);
        let each = (used / (there as u64).max(1)).max(self.plan.dirty_mib << 20);
        let wanted = u64::from(level).saturating_sub(there as u64).saturating_mul(each).saturating_add(RESERVE_BYTES);
        (wanted > available).then(|| {
            format!(
                "{there} of {} instances: the next level of {level} would take about {} MB, and {} MB are free (of which \
                 {} stay so); say a smaller `--up-to`",
                self.plan.levels.last().copied().unwrap_or(level),
                (wanted - RESERVE_BYTES) / 1_000_000,
                available / 1_000_000,
                RESERVE_BYTES / 1_000_000
            )
        })
    }

    /// So many starts, with so many of them under way at any time.
    fn batch(&mut self, slot: Slot, starter: Starter<'_>, at_once: u32) -> anyhow::Result<()> {
        let (next, done) = (AtomicU32::new(0), Mutex::new(Vec::new()));
        let total = self.plan.starts_at_once;
        let clock = Stopwatch::start();
        std::thread::scope(|scope| {
            for _ in 0..at_once.min(total) {
                scope.spawn(|| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= total {
                            return;
                        }
                        let id = self.id(slot, &format!("c{at_once}n{n}"));
                        let begun = starter.start(&id, Charged::No).map_err(|error| (id, error));
                        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(begun);
                    }
                });
            }
        });
        let wall_ns = clock.elapsed_ns();
        let (mut instances, mut start_ns, mut failed) = (Vec::new(), Vec::new(), None);
        for begun in done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            match begun {
                Ok((instance, ns)) => {
                    instances.push(instance);
                    start_ns.push(ns);
                }
                Err((id, error)) => {
                    instances.push(Instance::unstarted(id));
                    failed.get_or_insert(error);
                }
            }
        }
        self.stop_all(starter, instances)?;
        if let Some(error) = failed {
            return Err(error.context(format!("a start with {at_once} at once failed")));
        }
        self.write(&Line::AtOnce(AtOnce { case: self.case(slot), repetition: slot.round, at_once, wall_ns, start_ns }))
    }

    fn stop_all(&mut self, starter: Starter<'_>, instances: Vec<Instance>) -> anyhow::Result<()> {
        let known: Vec<Known> = instances.iter().map(|instance| instance.known.clone()).collect();
        starter.stop(instances).context("instances could not be stopped")?;
        self.wait_until_gone(&known)
    }
}
