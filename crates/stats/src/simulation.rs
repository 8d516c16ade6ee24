//! How often the intervals hold the truth, and what the order of the runs has to do with it: a simulation of
//! whole runs under disturbances of known size.
//!
//! It calls the functions that the report calls. Deliberately not here: any claim about a real machine; the
//! sizes of the disturbances are ours, chosen to be of the kind that shared machines show.

use std::fmt;

use statrs::distribution::{ContinuousCDF as _, StudentsT};
use statrs::statistics::Statistics as _;

use super::interval::Confidence;
use super::looks;
use super::paired::{Pair, PairedRatio, Timed, paired_ratio};
use super::random::{Random, Stream};

pub mod lines;

use lines::{LineCoverage, line_coverage};

/// What happens to the machine during a simulated run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// Nothing but noise of each run.
    Noise,
    /// 5 % of the runs take 1.5 to 4 times as long.
    Spikes,
    /// Everything becomes 10 % slower, evenly, from the first run to the last.
    Drift,
    /// Everything becomes 10 % slower in the middle.
    Step,
    /// A slow wander: AR(1), φ = 0.95 from one run to the next, σ = 5 %.
    Wander,
    /// Everything becomes 25 % slower, evenly: what a laptop does when it grows warm.
    StrongDrift,
}

impl Disturbance {
    /// Those of the table of ratios, in its order.
    pub const ALL: [Self; 5] = [Self::Noise, Self::Spikes, Self::Drift, Self::Step, Self::Wander];
    /// Those of the table of fits.
    pub const OF_LINES: [Self; 4] = [Self::Noise, Self::Spikes, Self::StrongDrift, Self::Wander];

    /// The name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noise => "noise only",
            Self::Spikes => "5 % spikes",
            Self::Drift => "10 % linear drift",
            Self::Step => "10 % step in the middle",
            Self::Wander => "slow autocorrelation",
            Self::StrongDrift => "25 % linear drift",
        }
    }
}

/// The order in which the runs of a simulated bench are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Rounds: each cell once a round, in an order shuffled for each round.
    Interleaved,
    /// Blocks: all runs of one cell, then all of the next. The i-th of one is then paired with the i-th of
    /// the other, which is all that is left to pair.
    Sequential,
}

/// The size of a simulated bench, and how often it is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setup {
    /// Runs of each cell.
    pub rounds: u32,
    /// Cells; two of them are compared, the others take their time.
    pub cells: u32,
    /// Simulated benches for each figure.
    pub replicates: u32,
    /// Nominal coverage.
    pub confidence: Confidence,
    /// The true ratio of the two cells.
    pub ratio: f64,
    /// Standard deviation of the logarithm of one run: 0.03 is 3 %.
    pub noise: f64,
    /// Seed of everything.
    pub seed: u64,
}

impl Default for Setup {
    /// A default bench: 30 rounds of 8 cells; 2,000 of them.
    fn default() -> Self {
        Self {
            rounds: 30,
            cells: 8,
            replicates: 2000,
            confidence: Confidence::DEFAULT,
            ratio: 1.33,
            noise: 0.03,
            seed: 20_250_310,
        }
    }
}

/// The two compared cells of one simulated bench.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The cell whose true ratio is asked for.
    pub case: Vec<Timed>,
    /// What it is divided by.
    pub baseline: Vec<Timed>,
}

impl Simulated {
    /// Both, to be compared.
    pub fn pair(&self) -> Pair<'_> {
        Pair { case: &self.case, baseline: &self.baseline }
    }
}

/// One simulated bench.
pub fn simulate(setup: &Setup, disturbance: Disturbance, order: Order, random: &mut Random) -> Simulated {
    let total = setup.rounds * setup.cells;
    let environment = environment(disturbance, total, random);
    let cells = setup.cells.max(2) as usize;
    // Blocks: the baseline is measured first, the case in any later block.
    let block = random.index(cells - 1) + 1;
    let mut simulated = Simulated { case: Vec::new(), baseline: Vec::new() };
    for round in 0..setup.rounds {
        let (first, second) = match order {
            Order::Interleaved => {
                let first = random.index(cells);
                let second = (first + 1 + random.index(cells - 1)) % cells;
                let start = round as usize * cells;
                (start + first, start + second)
            }
            Order::Sequential => (round as usize, block * setup.rounds as usize + round as usize),
        };
        let mut run = |slot: usize, level: f64| {
            let noise = (setup.noise * random.normal()).exp();
            Timed { round, value: 1e8 * level * environment[slot] * noise * spike(disturbance, random) }
        };
        simulated.baseline.push(run(first, 1.0));
        simulated.case.push(run(second, setup.ratio));
    }
    simulated
}

/// The factor of every slot of a bench of `total` runs.
fn environment(disturbance: Disturbance, total: u32, random: &mut Random) -> Vec<f64> {
    const PHI: f64 = 0.95;
    const SIGMA: f64 = 0.05;
    let mut wander = SIGMA * random.normal();
    (0..total)
        .map(|slot| match disturbance {
            Disturbance::Noise | Disturbance::Spikes => 1.0,
            Disturbance::Drift => 1.0 + 0.10 * f64::from(slot) / f64::from(total),
            Disturbance::StrongDrift => 1.0 + 0.25 * f64::from(slot) / f64::from(total),
            Disturbance::Step if slot < total / 2 => 1.0,
            Disturbance::Step => 1.10,
            Disturbance::Wander => {
                wander = PHI * wander + SIGMA * (1.0 - PHI * PHI).sqrt() * random.normal();
                wander.exp()
            }
        })
        .collect()
}

fn spike(disturbance: Disturbance, random: &mut Random) -> f64 {
    if disturbance == Disturbance::Spikes && random.uniform() < 0.05 { 1.5 + 2.5 * random.uniform() } else { 1.0 }
}

/// How the interval of the paired ratio did under one disturbance in one order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// The share of simulated benches whose interval held the true ratio.
    pub covered: f64,
    /// The share whose interval excludes a ratio of 1: for a true ratio of 1, the share of false alarms.
    pub excludes_one: f64,
    /// Mean width of the interval as a fraction of the ratio.
    pub width: f64,
    /// Mean width of Welch's interval of the difference of means, in the same unit, on the same values.
    pub welch_width: f64,
}

/// The coverage over `setup.replicates` simulated benches. Its own standard error is at most
/// `√(0.25/replicates)`, and near 95 % about 0.5 percentage points for 2,000.
pub fn coverage(setup: &Setup, disturbance: Disturbance, order: Order) -> Coverage {
    let mut random = Random::new(setup.seed, Stream(disturbance as u64 * 2 + order as u64));
    let mut sum = Coverage { covered: 0.0, excludes_one: 0.0, width: 0.0, welch_width: 0.0 };
    for _ in 0..setup.replicates {
        let simulated = simulate(setup, disturbance, order, &mut random);
        let ratio = paired_ratio(simulated.pair(), setup.confidence);
        let held = |value: f64| ratio.interval.is_some_and(|interval| interval.contains(value));
        sum.covered += f64::from(u8::from(held(setup.ratio)));
        sum.excludes_one += f64::from(u8::from(!held(1.0)));
        sum.width += ratio.relative_width().unwrap_or_default();
        sum.welch_width += welch_width(&simulated, setup.confidence).unwrap_or_default();
    }
    let each = 1.0 / f64::from(setup.replicates.max(1));
    Coverage {
        covered: sum.covered * each,
        excludes_one: sum.excludes_one * each,
        width: sum.width * each,
        welch_width: sum.welch_width * each,
    }
}

/// The width of Welch's t interval of `mean(case) − mean(baseline)`, as a fraction of `mean(case)` (Welch,
/// Biometrika 34, 1947): what a benchmark reports that treats the two cells as unrelated samples.
fn welch_width(simulated: &Simulated, confidence: Confidence) -> Option<f64> {
    let part = |series: &[Timed]| {
        let values: Vec<f64> = series.iter().map(|each| each.value).collect();
        let n = values.len() as f64;
        (values.iter().mean(), values.iter().variance() / n, n)
    };
    let (case_mean, case_error, n) = part(&simulated.case);
    let (_, baseline_error, _) = part(&simulated.baseline);
    let error = case_error + baseline_error;
    let freedom = error * error * (n - 1.0) / (case_error * case_error + baseline_error * baseline_error);
    let quantile = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(1.0 - confidence.alpha() / 2.0);
    Some(2.0 * quantile * error.sqrt() / case_mean)
}

/// One disturbance in both orders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoverageRow {
    /// What disturbed the run.
    pub disturbance: Disturbance,
    /// Rounds, shuffled.
    pub interleaved: Coverage,
    /// Blocks.
    pub sequential: Coverage,
    /// Interleaved, with a true ratio of 1: an A/A row.
    pub twins: Coverage,
}

/// Coverage under every disturbance, interleaved beside sequential. Its `Display` is a Markdown table.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageTable {
    /// What was simulated.
    pub setup: Setup,
    /// A row per disturbance.
    pub rows: Vec<CoverageRow>,
    /// What `--until` does to the coverage, a row per precision asked for.
    pub until: Vec<UntilCoverage>,
    /// What fits of a sweep hold, a row per disturbance.
    pub lines: Vec<LineCoverage>,
    /// Over how many sweeps: each has a bootstrap.
    pub sweeps: u32,
}

/// The most rounds of the simulated runs that stop on precision.
const UNTIL_ROUNDS: u32 = 160;
/// The precisions that they are asked for, as fractions.
const UNTIL: [f64; 3] = [0.02, 0.03, 0.05];

/// A sweep with its bootstraps takes as long as some hundred simulated benches.
const BENCHES_PER_SWEEP: u32 = 5;

/// Simulates every disturbance in both orders, runs that stop on precision, and sweeps.
pub fn coverage_table(setup: &Setup) -> CoverageTable {
    let row = |disturbance| CoverageRow {
        disturbance,
        interleaved: coverage(setup, disturbance, Order::Interleaved),
        sequential: coverage(setup, disturbance, Order::Sequential),
        twins: coverage(&Setup { ratio: 1.0, ..*setup }, disturbance, Order::Interleaved),
    };
    let longer = Setup { rounds: UNTIL_ROUNDS, ..*setup };
    let fewer = Setup { replicates: setup.replicates.div_ceil(BENCHES_PER_SWEEP), ..*setup };
    let looks = looks::looks(UNTIL_ROUNDS);
    let each = looks::look_confidence(setup.confidence, looks.len());
    CoverageTable {
        setup: *setup,
        rows: Disturbance::ALL.into_iter().map(row).collect(),
        until: UNTIL.into_iter().map(|until| until_coverage(&longer, &looks, until, each)).collect(),
        lines: Disturbance::OF_LINES.into_iter().map(|disturbance| line_coverage(&fewer, disturbance)).collect(),
        sweeps: fewer.replicates,
    }
}

impl fmt::Display for CoverageTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setup { rounds, cells, replicates, confidence, ratio, noise, seed } = self.setup;
        let (level, noise) = (confidence.value() * 100.0, noise * 100.0);
        writeln!(
            f,
            "Share of {replicates} simulated runs whose {level} % interval holds the true ratio {ratio} \
             ({rounds} rounds, {cells} cells, noise {noise} %, seed {seed}).\n"
        )?;
        writeln!(
            f,
            "| disturbance | interleaved | sequential | width, interleaved | Welch's width over it | A/A excludes 1 |"
        )?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|")?;
        for row in &self.rows {
            let (ours, theirs) = (&row.interleaved, &row.sequential);
            writeln!(
                f,
                "| {} | {:.1} % | {:.1} % | {:.1} % | {:.1}× | {:.1} % |",
                row.disturbance.name(),
                ours.covered * 100.0,
                theirs.covered * 100.0,
                ours.width * 100.0,
                ours.welch_width / ours.width.max(f64::MIN_POSITIVE),
                row.twins.excludes_one * 100.0,
            )?;
        }
        writeln!(
            f,
            "\n| until the interval is this wide, at most {UNTIL_ROUNDS} rounds | interleaved | mean rounds |"
        )?;
        writeln!(f, "|---|--:|--:|")?;
        for row in &self.until {
            writeln!(f, "| {:.0} % | {:.1} % | {:.0} |", row.until * 100.0, row.covered * 100.0, row.rounds)?;
        }
        lines::show(&self.lines, self.sweeps, f)
    }
}

/// How a run that goes on until its interval is narrow enough did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UntilCoverage {
    /// The relative width that was asked for, as a fraction.
    pub until: f64,
    /// The share of runs whose interval, at the look where they stopped, held the true ratio.
    pub covered: f64,
    /// Mean rounds until then.
    pub rounds: f64,
}

/// Runs of up to `setup.rounds` rounds that stop at the first of these looks where the relative width of the
/// interval is at most `until` (a fraction); `each` is the confidence used at every look.
pub fn until_coverage(setup: &Setup, looks: &[u32], until: f64, each: Confidence) -> UntilCoverage {
    let mut random = Random::new(setup.seed, Stream(1000));
    let mut sum = UntilCoverage { until, covered: 0.0, rounds: 0.0 };
    for _ in 0..setup.replicates {
        let simulated = simulate(setup, Disturbance::Noise, Order::Interleaved, &mut random);
        let (rounds, ratio) = stop(&simulated, looks, until, each);
        let held = ratio.interval.is_some_and(|interval| interval.contains(setup.ratio));
        sum.covered += f64::from(u8::from(held));
        sum.rounds += f64::from(rounds);
    }
    let count = f64::from(setup.replicates.max(1));
    UntilCoverage { until, covered: sum.covered / count, rounds: sum.rounds / count }
}

fn stop(simulated: &Simulated, looks: &[u32], until: f64, each: Confidence) -> (u32, PairedRatio) {
    let at = |look: u32| {
        let end = (look as usize).min(simulated.case.len());
        let pair = Pair { case: &simulated.case[..end], baseline: &simulated.baseline[..end] };
        (look, paired_ratio(pair, each))
    };
    let last = looks.last().copied().unwrap_or_default();
    looks
        .iter()
        .map(|look| at(*look))
        .find(|(_, ratio)| ratio.relative_width().is_some_and(|width| width <= until))
        .unwrap_or_else(|| at(last))
}

#[cfg(test)]
mod tests;
