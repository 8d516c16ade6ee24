//! What the first screen tells of a run: its bench, and by which metric.
//!
//! Not here: the words (`answer`) and the picture (`chart::square`).

use super::{comparison_in, comparison_of_in, headline, ratios_of, resolutions_in, rows_of};
use crate::Run;
use results::case::Case;
use results::metric::{HEADLINE, job};
use results::{BenchRecord, CaseSummary, Comparison, Resolution};

/// The rows that the first screen tells.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    run: &'a Run,
    /// The bench.
    pub bench: &'a BenchRecord,
    metric: &'static str,
}

/// What a run's first screen tells; nothing without a bench. The metric is the headline, but for Jobs whose kubelets' counters
/// were read: a Job's time falls somewhere in the second after which its kubelet looks, and tells nothing of a runtime.
pub fn told(run: &Run) -> Option<Told<'_>> {
    let bench = headline(run)?;
    let counted = rows_of(run, job::TOGETHER).any(|row| row.bench == bench.name && row.n > 0);
    Some(Told { run, bench, metric: if counted { job::TOGETHER } else { HEADLINE } })
}

impl<'a> Told<'a> {
    /// Whether it is the calls for a Job's pod, and not the time of a whole run.
    pub fn is_of_calls(&self) -> bool {
        self.metric == job::TOGETHER
    }

    /// The row of a case that has samples.
    pub fn case(&self, case: &Case) -> Option<&'a CaseSummary> {
        rows_of(self.run, self.metric)
            .find(|row| row.bench == self.bench.name && row.case == case.name)
            .filter(|row| row.n > 0)
    }

    /// The comparison of a case with its baseline, where both have samples of one round.
    pub fn comparison(&self, case: &Case) -> Option<&'a Comparison> {
        comparison_in(self.run, self.metric, (&self.bench.name, &case.name))
    }

    /// The comparison of two cases, likewise.
    pub fn comparison_of(&self, cases: [&Case; 2]) -> Option<&'a Comparison> {
        comparison_of_in(self.run, self.metric, (&self.bench.name, cases))
    }

    /// Whether any ratio is one of two runtimes.
    pub fn is_across(&self) -> bool {
        ratios_of(self.run, self.metric)
            .filter(|row| row.bench == self.bench.name)
            .any(|row| row.across_runtimes && row.ratio.is_some())
    }

    /// The A/A rows that have samples.
    pub fn resolutions(&self) -> impl Iterator<Item = &'a Resolution> + use<'a> {
        let bench = &self.bench.name;
        resolutions_in(self.run, self.metric).into_iter().filter(move |row| row.bench == *bench)
    }
}
