//! What becomes of one run: a sample that counts, one with the reason why it does not, and a cell that is given up.

use super::Loop;
use crate::measure::child::Ran;
use crate::plan::{Place, Slot};
use oci::digest::Digest;
use results::{Outcome, Sample};

/// A cell that failed so often in a row is given up: a case that always hangs would cost its time limit in
/// every round.
const FAILURES_IN_A_ROW: u32 = 3;

impl Loop<'_> {
    /// The first success of a container's cell has to be known to containerd too. After the clock has stopped.
    pub(super) fn confirmed(&mut self, slot: Slot, id: &str, sample: Sample) -> Sample {
        let Some(events) = self.events.as_mut().filter(|events| events.awaits(slot.place)) else { return sample };
        if sample.outcome != Outcome::Ok {
            return sample;
        }
        let seen = events.expect(id);
        self.settle(slot.place);
        let Err(error) = seen else { return sample };
        let reason = format!("{error:#}");
        self.barred.insert(slot.place, reason.clone());
        self.row(slot, None, Outcome::NotStarted, Some(reason))
    }

    /// Nobody has to see this cell run any more; when that holds for all, nobody listens.
    pub(super) fn settle(&mut self, place: Place) {
        if let Some(events) = &mut self.events {
            events.forget(place);
        }
        self.events.take_if(|events| events.is_done());
    }

    pub(super) fn judge(&mut self, slot: Slot, ran: &Ran) -> Sample {
        let of = (&self.runs.bench(slot.place).name, self.runs.cell(slot.place));
        let (outcome, reason) = self.expectations.judge(of, ran, self.runs.timeout_ms);
        self.row(slot, Some(ran), outcome, reason)
    }

    pub(super) fn row(&self, slot: Slot, ran: Option<&Ran>, outcome: Outcome, reason: Option<String>) -> Sample {
        Sample {
            bench: (&self.runs.bench(slot.place).name).into(),
            case: (&self.runs.cell(slot.place).name).into(),
            round: slot.round,
            position: slot.position,
            warmup: slot.warmup,
            values: ran.map(Ran::values).unwrap_or_default().into(),
            user_ns: ran.and_then(|ran| ran.user_ns).into(),
            system_ns: ran.and_then(|ran| ran.system_ns).into(),
            outcome,
            reason: reason.map(Into::into),
            output_sha256: ran.map(|ran| Digest::of(&ran.stdout).hex().into()),
        }
    }

    pub(super) fn count(&mut self, slot: Slot, sample: &Sample) {
        let failures = self.failures.entry(slot.place).or_default();
        *failures = if sample.outcome == Outcome::Ok { 0 } else { *failures + 1 };
        let reason = sample.reason.as_deref().unwrap_or_default();
        if self.runs.cell(slot.place).case.expected(reason).is_some() {
            // It was tried, and is as it is known to be: once more would say the same.
            self.settle(slot.place);
            self.barred.insert(slot.place, reason.to_owned());
            return;
        }
        if *failures >= FAILURES_IN_A_ROW {
            let reason = sample.reason.as_deref().unwrap_or_default();
            self.settle(slot.place);
            self.barred.insert(slot.place, format!("given up after {FAILURES_IN_A_ROW} failures in a row: {reason}"));
        }
    }
}
