//! `summary.json`: what `analysis` computes from a manifest and its samples.

use serde::{Deserialize, Serialize};

use super::break_even::BreakEven;
use super::first_use::FirstUse;
use super::ledger::Ledger;
use super::resources::ResourceRow;
use super::timeline::ArmTimeline;
use super::{NotMeasured, Verdict, metric};
use crate::isolation::IsolationDifference;
pub use claim::{ClaimRow, ClaimVerdict, Place, Quantity};
pub use nodes::{AcrossNodes, NodesRatio};

mod claim;
mod nodes;

/// `summary.json`: computed from manifest and samples by `analysis`, and by nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`super::SCHEMA`].
    pub schema: u32,
    /// The run's name.
    pub run: String,
    /// A row per bench, cell and metric.
    pub cases: Vec<CaseSummary>,
    /// A row per program, kind and image.
    pub sizes: Vec<SizeRow>,
    /// Paired ratios within this run.
    pub comparisons: Vec<Comparison>,
    /// What the differences of modules to native are made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributions: Vec<Attribution>,
    /// Where the containers of compared rows isolate differently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub isolation: Vec<IsolationDifference>,
    /// The A/A rows, and the resolution that follows from each.
    pub resolutions: Vec<Resolution>,
    /// Fixed and marginal cost, where the run has a size sweep.
    pub fits: Vec<Fit>,
    /// Where the time of traced runs went; empty where none was traced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<ArmTimeline>,
    /// What runs used beside time; empty where that was not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceRow>,
    /// Published figures beside ours.
    pub claims: Vec<ClaimRow>,
    /// What a reader must know before believing a number, each with advice.
    pub warnings: Vec<Warning>,
    /// What was asked for and has no number.
    pub not_measured: Vec<NotMeasured>,
    /// From which size of work on one case is slower than another, where the run has a size sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_even: Option<BreakEven>,
    /// What shipping costs, from the file that was built to the disk of a node; absent in summaries of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// What a run costs when not everything is there yet; absent where that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_use: Option<FirstUse>,
    /// Over the nodes of a cluster, a row per bench that ran on several, and metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub across_nodes: Vec<AcrossNodes>,
}

/// The distribution of one metric of one cell, in the metric's unit. `None` (JSON `null`) where n has no answer. The
/// aliases are the names that fields had when every value was a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseSummary {
    /// The bench.
    pub bench: String,
    /// The cell's name.
    pub case: String,
    /// What was measured.
    #[serde(default = "metric::headline")]
    pub metric: String,
    /// Counted samples with outcome `ok` and a value.
    pub n: usize,
    /// Counted runs with any other outcome.
    pub failed: usize,
    /// The median.
    #[serde(alias = "median_ns")]
    pub median: Option<f64>,
    /// Lower end of the median's interval.
    #[serde(alias = "ci_low_ns")]
    pub ci_low: Option<f64>,
    /// Upper end of the median's interval.
    #[serde(alias = "ci_high_ns")]
    pub ci_high: Option<f64>,
    /// The confidence that the interval achieves (at least the nominal one).
    pub confidence: Option<f64>,
    /// The arithmetic mean.
    #[serde(alias = "mean_ns")]
    pub mean: Option<f64>,
    /// Standard deviation, n − 1.
    #[serde(alias = "stddev_ns")]
    pub stddev: Option<f64>,
    /// Median absolute deviation, unscaled.
    #[serde(alias = "mad_ns")]
    pub mad: Option<f64>,
    /// The least.
    #[serde(alias = "min_ns")]
    pub min: Option<f64>,
    /// The greatest.
    #[serde(alias = "max_ns")]
    pub max: Option<f64>,
    /// 90th percentile, from 36 samples on.
    #[serde(alias = "p90_ns")]
    pub p90: Option<f64>,
    /// 95th percentile, from 72 samples on.
    #[serde(alias = "p95_ns")]
    pub p95: Option<f64>,
    /// 99th percentile, from 368 samples on.
    #[serde(alias = "p99_ns")]
    pub p99: Option<f64>,
    /// Samples whose modified z-score exceeds 3.5: reported, never dropped.
    pub outliers: usize,
    /// Spearman correlation of value and round.
    pub drift: Option<Drift>,
    /// The first run of this cell (warm-up included) over the median of the counted ones.
    pub first_run_ratio: Option<f64>,
}

/// Whether values rose or fell over the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Spearman's rank correlation of value against round, −1 to 1.
    pub spearman: f64,
    /// Two-sided p-value under no association.
    pub p_value: f64,
}

/// Exact sizes of one program in one kind and image. kB is 1000 bytes wherever these are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeRow {
    /// The program.
    pub program: String,
    /// `native`, `wasm` or `wasm-aot`.
    pub kind: String,
    /// The image's definition; absent for the kind's default, and where none was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The ELF file or module as shipped.
    pub binary_bytes: u64,
    /// All that a pull transfers: manifest, config and compressed layers.
    pub image_bytes_compressed: Option<u64>,
    /// The layers as unpacked tar streams.
    pub image_bytes_unpacked: Option<u64>,
}

impl SizeRow {
    /// Whether this is how files of the kind are packed unless another image is asked for.
    pub fn is_default(&self) -> bool {
        self.image.is_none()
    }

    /// What it is called: by its kind, and by its image where that is not the kind's default.
    pub fn name(&self) -> &str {
        self.image.as_ref().unwrap_or(&self.kind)
    }
}

/// A ratio of two cells of one run, paired by round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The bench.
    pub bench: String,
    /// The cell.
    pub case: String,
    /// What was measured.
    #[serde(default = "metric::headline")]
    pub metric: String,
    /// What it is divided by.
    pub baseline: String,
    /// Rounds in which both have a sample.
    pub n: usize,
    /// Median over rounds of case / baseline.
    pub ratio: Option<f64>,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end of its interval.
    pub ci_high: Option<f64>,
    /// The confidence that the interval achieves.
    pub confidence: Option<f64>,
    /// The margin that the verdict used: the greater of the one asked for and the A/A resolution.
    pub delta: f64,
    /// What follows.
    pub verdict: Verdict,
    /// For `undetermined` and `too-noisy`: about how many more rounds would tell.
    pub more_rounds: Option<u32>,
    /// Whether different container runtimes made the two: what these cost is then a part of the ratio.
    #[serde(default)]
    pub across_runtimes: bool,
    /// How the interval was made.
    pub method: String,
}

/// What the difference of a module to its baseline is made of, in the metric's unit. In every round the parts add up to it;
/// their medians do so nearly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// The bench.
    pub bench: String,
    /// The module's case.
    pub case: String,
    /// What was measured.
    pub metric: String,
    /// What it is compared with.
    pub baseline: String,
    /// The native program in the module's runtime; absent where the run has none.
    pub control: Option<String>,
    /// The bench that does nothing; absent where the run has none.
    pub canary: Option<String>,
    /// Rounds in which module and baseline have a sample.
    pub n: usize,
    /// Module less baseline; absent without an interval.
    pub difference: Option<Estimate>,
    /// Its parts.
    pub parts: Vec<AttributionPart>,
    /// How the intervals were made.
    pub method: String,
}

/// A part of a difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributionPart {
    /// Whose it is.
    pub part: PartOfTime,
    /// Rounds in which all of its cells have a sample.
    pub n: usize,
    /// How much it is; absent where that is not known.
    pub difference: Option<Estimate>,
    /// Why it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// Whose a part of a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartOfTime {
    /// The runtime's: the native program in the module's runtime less native in the baseline's.
    Runtime,
    /// The engine's, before it executes anything: a module that does nothing less a native program that does nothing.
    EngineStart,
    /// Execution's: what the module takes beyond doing nothing, less what native takes beyond it.
    Execution,
}

/// An A/A row: one cell measured twice, and what difference this run could therefore resolve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// The bench.
    pub bench: String,
    /// The case that was measured twice.
    pub case: String,
    /// What was measured.
    #[serde(default = "metric::headline")]
    pub metric: String,
    /// Rounds in which both have a sample.
    pub n: usize,
    /// Median over rounds of twin / case: 1 but for chance.
    pub ratio: Option<f64>,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end of its interval.
    pub ci_high: Option<f64>,
    /// The confidence that the interval achieves.
    pub confidence: Option<f64>,
    /// The farthest end of the interval from 1, as a fraction: no smaller difference is called one.
    pub resolution: Option<f64>,
}

/// `T = a + b·n`, fitted over a size sweep by case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The bench that sweeps.
    pub sweep: String,
    /// The case.
    pub case: String,
    /// What was measured.
    #[serde(default = "metric::headline")]
    pub metric: String,
    /// Fixed cost: delivery and start-up.
    #[serde(alias = "a_ns")]
    pub a: Option<Estimate>,
    /// Marginal cost per unit of n: execution.
    #[serde(alias = "b_ns_per_n")]
    pub b_per_n: Option<Estimate>,
    /// The sizes.
    pub sizes: Vec<u64>,
    /// The median at each size.
    #[serde(alias = "medians_ns")]
    pub medians: Vec<f64>,
    /// How it was made.
    pub method: String,
}

/// A number with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Something that a reader must know, with advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What is the matter.
    pub what: String,
    /// What to do about it.
    pub advice: String,
    /// What it does to the numbers.
    #[serde(default)]
    pub effect: Effect,
}

/// What the matter of a warning does to the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// A conclusion that is drawn from them may be another one.
    Conclusion,
    /// They are less sure than they could be: intervals are wider, and fewer differences can be told.
    Intervals,
    /// Nothing, but whoever asks further will want to know.
    #[default]
    Background,
}
