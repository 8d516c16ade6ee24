//! The gate for CI: which rows are slower, and which sizes greater, than is allowed.
//!
//! Not here: the exit status that follows (`commands`).

use serde::Serialize;

use super::sizes::SizeChange;
use super::{Ratio, Row};
use crate::metric::{Better, Metric};

/// How much slower a case, or how much greater a size, may become before the gate closes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Threshold(f64);

impl Threshold {
    /// From a fraction; `None` unless it is finite and at least 0.
    pub fn new(fraction: f64) -> Option<Self> {
        (fraction >= 0.0 && fraction.is_finite()).then_some(Self(fraction))
    }

    /// As a fraction.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// What becomes of a row whose interval has the threshold inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undecided {
    /// It is listed, and passes.
    #[default]
    Passes,
    /// It closes the gate: what could not be seen is not taken for absent.
    Fails,
}

/// When the gate closes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// For times, and every other metric of which it is known what is worse.
    pub time: Option<Threshold>,
    /// For sizes.
    pub size: Option<Threshold>,
    /// For what is undecided.
    pub undecided: Undecided,
}

/// What the gate decided, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// How much slower was allowed, as a fraction; absent where times are not gated.
    pub threshold: Option<f64>,
    /// How much greater a size was allowed to be; absent where sizes are not gated.
    pub size_threshold: Option<f64>,
    /// What was to become of undecided rows.
    pub on_undecided: Undecided,
    /// What follows.
    pub outcome: GateOutcome,
    /// How many rows were held against the threshold.
    pub rows: usize,
    /// Rows whose whole interval lies above `1 + threshold` (below its inverse, where more is better), as `bench case`, and
    /// the metric unless it is the headline.
    pub above: Vec<String>,
    /// Sizes that grew by more than allowed.
    pub sizes_above: Vec<String>,
    /// Rows whose interval has `1 + threshold` inside.
    pub undecided: Vec<String>,
    /// Rows that run A measured and run B planned and has no interval for, and sizes that only run A has.
    pub missing: Vec<String>,
}

/// Whether the change may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateOutcome {
    /// Nothing is known to be above its threshold.
    Passed,
    /// At least one row or size is.
    Failed,
    /// None is, but a row is undecided, and undecided rows were to fail.
    Undecided,
    /// None is, but something that was measured before is not there now: silence is no pass.
    Incomplete,
}

/// An interval of a ratio turned so that above 1 is worse.
pub fn worse(better: Better, (low, high): (f64, f64)) -> (f64, f64) {
    match better {
        Better::Lower => (low, high),
        Better::Higher => (1.0 / high, 1.0 / low),
    }
}

/// A row is above the threshold only when its whole interval is; where the machine stepped, only when the
/// interval with the step taken out is too.
pub fn gate((rows, sizes): (&[Row], &[SizeChange]), limits: Limits) -> Gate {
    let mut gate = Gate {
        threshold: limits.time.map(Threshold::value),
        size_threshold: limits.size.map(Threshold::value),
        on_undecided: limits.undecided,
        outcome: GateOutcome::Passed,
        rows: 0,
        above: Vec::new(),
        sizes_above: Vec::new(),
        undecided: Vec::new(),
        missing: Vec::new(),
    };
    if let Some(threshold) = limits.time {
        for row in rows {
            gate.time(row, 1.0 + threshold.value());
        }
    }
    if let Some(threshold) = limits.size {
        for size in sizes {
            gate.size(size, 1.0 + threshold.value());
        }
    }
    gate.outcome = gate.decide();
    gate
}

impl Gate {
    fn time(&mut self, row: &Row, limit: f64) {
        let name = row.name();
        let Some(better) = Metric::named(&row.metric).better else { return };
        self.rows += 1;
        let ends = |ratio: Ratio| Some(worse(better, (ratio.ci_low?, ratio.ci_high?)));
        let Some((low, high)) = row.ratio.and_then(ends) else {
            if row.n_a > 0 {
                self.missing.push(name);
            }
            return;
        };
        let (low, high) =
            row.normalised.and_then(ends).map_or((low, high), |(least, most)| (low.min(least), high.max(most)));
        if low > limit {
            self.above.push(name);
        } else if high > limit {
            self.undecided.push(name);
        }
    }

    fn size(&mut self, size: &SizeChange, limit: f64) {
        if size.ratio.is_some_and(|ratio| ratio > limit) {
            self.sizes_above.push(size.name());
        } else if size.a_bytes.is_some() && size.b_bytes.is_none() {
            self.missing.push(size.name());
        }
    }

    fn decide(&self) -> GateOutcome {
        if !self.above.is_empty() || !self.sizes_above.is_empty() {
            GateOutcome::Failed
        } else if !self.missing.is_empty() {
            GateOutcome::Incomplete
        } else if self.on_undecided == Undecided::Fails && !self.undecided.is_empty() {
            GateOutcome::Undecided
        } else {
            GateOutcome::Passed
        }
    }
}
