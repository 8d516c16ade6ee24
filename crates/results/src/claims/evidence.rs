//! What a run has to say about a claim: ours, or what would have to be measured.
//!
//! Not here: what is published (`figure`), the verdict (`judge`), any statistic (the ratios come from `analysis`).

use stats::PairedRatio;

use super::figure::{Ours, shown};
use super::{Bytes, Claim, Packed, Pair, Test};
use crate::case::Case;
use crate::metric::{FIRST_USE, HEADLINE, Metric, PULL, Unit};
use crate::{CaseSummary, Manifest, SizeRow};

/// A ratio that a claim asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// What is measured.
    pub metric: &'a str,
    /// The bench; a sweep by its name, where slopes are asked for.
    pub bench: &'a str,
    /// Above the line.
    pub case: &'a str,
    /// Below it.
    pub baseline: &'a str,
}

/// What the run answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The ratio; n = 0 where there is none.
    pub ratio: PairedRatio,
    /// The margin below which this run calls a difference none.
    pub margin: f64,
}

/// What a run has to say.
pub struct Evidence<'a> {
    /// Which bench runs which program, and which cells there are.
    pub manifest: &'a Manifest,
    /// Exact sizes.
    pub sizes: &'a [SizeRow],
    /// Medians, of every metric.
    pub cases: &'a [CaseSummary],
    /// The paired ratio of two cases of this run.
    pub paired: &'a dyn Fn(Question<'_>) -> Answer,
    /// The ratio of the slopes of two cases of this run over a sweep.
    pub slopes: &'a dyn Fn(Question<'_>) -> Answer,
}

/// A number of ours, and how it is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The number; its ends are absent where there are too few rounds for an interval.
    pub value: f64,
    /// The ends of its interval; the number itself where it is exact.
    pub ends: Option<[f64; 2]>,
    /// The margin below which this run calls a difference none.
    pub margin: f64,
    /// What it is, in words.
    pub text: String,
}

impl Measured {
    /// The number with its ends.
    pub fn ours(&self) -> Option<Ours> {
        self.ends.map(|ends| Ours { value: self.value, ends, margin: self.margin })
    }

    fn exact(value: f64, text: String) -> Self {
        Self { value, ends: Some([value; 2]), margin: 0.0, text }
    }
}

/// What a run would have to have, in words that complete "needs".
pub type Needs = String;

impl Evidence<'_> {
    /// Ours for a claim, in each way in which it can be counted.
    ///
    /// # Errors
    /// With what the run lacks.
    pub fn of(&self, claim: &Claim) -> Result<Vec<Measured>, Needs> {
        if let Test::Absent { needs } = &claim.test {
            return Err(needs.clone());
        }
        let benches = &self.manifest.benches;
        let is_it = |name: &str, sweep: Option<&str>| name == claim.bench || sweep == Some(claim.bench.as_str());
        let sweep = |bench: &crate::BenchRecord| bench.sweep.as_ref().map(|point| point.name.clone());
        if !benches.iter().any(|bench| is_it(&bench.name, sweep(bench).as_deref())) {
            return Err(format!("the bench `{0}`, which was not part of this run: `--bench {0}`", claim.bench));
        }
        match &claim.test {
            Test::Absent { needs } => Err(needs.clone()),
            Test::Size { of, bytes } => self.size(&claim.bench, of, *bytes),
            Test::Sizes { of, over, bytes } => self.sizes(&claim.bench, [of, over], *bytes),
            Test::Value { metric, case, divisor } => {
                self.has_case([case])?;
                self.value([&claim.bench, metric], case, *divisor).map(|found| vec![found])
            }
            Test::Ratio { metric, pair } => self.ratio([&claim.bench, metric], pair).map(|found| vec![found]),
            Test::Slopes { pair } => self.slope(&claim.bench, pair).map(|found| vec![found]),
        }
    }

    /// What shows what a difference is made of, in words; empty where this run does not have it.
    pub fn arms(&self, claim: &Claim) -> Vec<String> {
        let arm = |arm: &Pair| match &claim.test {
            Test::Value { metric, divisor, .. } => {
                let found = self.value([&claim.bench, metric], &arm.case, *divisor);
                Some(found.map_or_else(|_| format!("`{}` was not measured", arm.case), |found| found.text))
            }
            Test::Ratio { metric, .. } => {
                let answer = (self.paired)(question([&claim.bench, metric], arm));
                told(claim, arm, &answer.ratio)
            }
            Test::Slopes { .. } => {
                let answer = (self.slopes)(question([&claim.bench, HEADLINE], arm));
                told(claim, arm, &answer.ratio)
            }
            _ => None,
        };
        claim.explained_by.iter().filter_map(arm).collect()
    }

    fn size_row(&self, bench: &str, packed: &Packed) -> Result<&SizeRow, Needs> {
        let of_bench = |each: &&crate::BenchRecord| {
            each.name == bench || each.sweep.as_ref().is_some_and(|point| point.name == bench)
        };
        let program = self.manifest.benches.iter().find(of_bench).map_or("", |bench| &bench.program);
        let found = self.sizes.iter().find(|row| row.program == *program && row.name() == packed.name);
        found.ok_or_else(|| format!("a row that runs `{}`, of which nothing was built in this run", packed.name))
    }

    fn size(&self, bench: &str, of: &Packed, bytes: Option<Bytes>) -> Result<Vec<Measured>, Needs> {
        let row = self.size_row(bench, of)?;
        let one = |bytes: Bytes| {
            let kilobytes = counted(row, bytes).ok_or_else(|| no_image(of))? / 1000.0;
            let text = format!("{} kB {}", shown(kilobytes), bytes.in_words());
            Ok(Measured::exact(kilobytes, text))
        };
        let mut measured: Vec<Measured> = ways(bytes).iter().map(|way| one(*way)).collect::<Result<_, Needs>>()?;
        measured[0].text.insert_str(0, "ours has ");
        Ok(measured)
    }

    fn sizes(&self, bench: &str, [of, over]: [&Packed; 2], bytes: Option<Bytes>) -> Result<Vec<Measured>, Needs> {
        let (above, below) = (self.size_row(bench, of)?, self.size_row(bench, over)?);
        let one = |bytes: Bytes| {
            let (top, bottom) = (counted(above, bytes), counted(below, bytes));
            let ratio = top.ok_or_else(|| no_image(of))? / bottom.ok_or_else(|| no_image(over))?;
            let (of, over) = (&of.name, &over.name);
            let text = format!("{}× {}", shown(ratio), bytes.in_words());
            Ok((Measured::exact(ratio, text), format!("`{of}` over `{over}` is here ")))
        };
        let counted = ways(bytes).iter().map(|way| one(*way)).collect::<Result<Vec<_>, Needs>>()?;
        let told = counted.into_iter().enumerate().map(|(index, (mut each, head))| {
            // Said once, in front of the first way of counting.
            each.text.insert_str(0, if index == 0 { head.as_str() } else { "" });
            each
        });
        Ok(told.collect())
    }

    fn has_case<'b>(&self, cases: impl IntoIterator<Item = &'b Case>) -> Result<(), Needs> {
        let absent = |case: &&Case| !self.manifest.cells.iter().any(|cell| cell.name == case.name);
        let absent: Vec<&Case> = cases.into_iter().filter(absent).collect();
        if absent.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = absent.iter().map(|case| format!("`{case}`")).collect();
        let options: Vec<String> = absent.iter().map(|case| format!("--case {case}")).collect();
        Err(format!("{}, not among the rows of this run: `{}`", names.join(" and "), options.join(" ")))
    }

    fn has_metric(&self, metric: &str) -> Result<(), Needs> {
        if self.cases.iter().any(|row| row.metric == metric && row.n > 0) {
            return Ok(());
        }
        Err(match metric {
            PULL | FIRST_USE => "pulls and first runs, which are measured when asked for: `--first-use`".to_owned(),
            _ => format!("the metric `{metric}`, which this run does not have"),
        })
    }

    fn value(&self, [bench, metric]: [&str; 2], case: &Case, divisor: f64) -> Result<Measured, Needs> {
        self.has_metric(metric)?;
        let name = &case.name;
        let row = self.cases.iter().find(|row| row.bench == bench && row.case == *name && row.metric == metric);
        let (row, median) = row
            .and_then(|row| Some((row, row.median? / divisor)))
            .ok_or_else(|| format!("a value of `{name}`, which has none in this run"))?;
        let unit = unit_of(metric);
        let ends = row.ci_low.zip(row.ci_high).map(|(low, high)| [low / divisor, high / divisor]);
        let interval =
            ends.map_or_else(String::new, |[low, high]| format!(" ({} to {} {unit})", shown(low), shown(high)));
        let text = format!("`{name}` takes {} {unit} here{interval}", shown(median));
        Ok(Measured { value: median, ends, margin: 0.0, text })
    }

    fn ratio(&self, [bench, metric]: [&str; 2], pair: &Pair) -> Result<Measured, Needs> {
        self.has_case([&pair.case, &pair.baseline])?;
        self.has_metric(metric)?;
        let answer = (self.paired)(question([bench, metric], pair));
        let of = match metric {
            HEADLINE => String::new(),
            PULL => ", pulled from a registry on this machine and unpacked,".to_owned(),
            FIRST_USE => ", pulled, unpacked and run,".to_owned(),
            _ => format!(", as `{metric}`,"),
        };
        answered(pair, &answer, &of)
    }

    fn slope(&self, sweep: &str, pair: &Pair) -> Result<Measured, Needs> {
        self.has_case([&pair.case, &pair.baseline])?;
        let answer = (self.slopes)(question([sweep, HEADLINE], pair));
        answered(pair, &answer, " by slope")
    }
}

/// A control arm's ratio; its baseline is named where it is not the claim's own.
fn told(claim: &Claim, arm: &Pair, ratio: &PairedRatio) -> Option<String> {
    let text = with_interval(ratio)?;
    let (Test::Ratio { pair, .. } | Test::Slopes { pair }) = &claim.test else { return None };
    Some(if pair.baseline == arm.baseline {
        format!("{text} for `{}`", arm.case)
    } else {
        format!("{text} for `{}` over `{}`", arm.case, arm.baseline)
    })
}

fn answered(Pair { case, baseline }: &Pair, answer: &Answer, of: &str) -> Result<Measured, Needs> {
    let (Some(value), Some(text)) = (answer.ratio.ratio, with_interval(&answer.ratio)) else {
        return Err(format!("rounds in which both `{case}` and `{baseline}` have a value"));
    };
    let across = if case.is_across_runtimes(baseline) { ", across two runtimes" } else { "" };
    Ok(Measured {
        value,
        ends: answer.ratio.interval.map(|interval| [interval.low, interval.high]),
        margin: answer.margin,
        text: format!("`{case}` over `{baseline}`{of} is {text} here{across}"),
    })
}

fn question<'a>([bench, metric]: [&'a str; 2], pair: &'a Pair) -> Question<'a> {
    Question { metric, bench, case: &pair.case.name, baseline: &pair.baseline.name }
}

/// An image whose counting was not published is counted in both ways.
fn ways(bytes: Option<Bytes>) -> Vec<Bytes> {
    bytes.map_or_else(|| vec![Bytes::Compressed, Bytes::Unpacked], |bytes| vec![bytes])
}

fn counted(row: &SizeRow, bytes: Bytes) -> Option<f64> {
    let bytes = match bytes {
        Bytes::Binary => Some(row.binary_bytes),
        Bytes::Compressed => row.image_bytes_compressed,
        Bytes::Unpacked => row.image_bytes_unpacked,
    };
    bytes.map(|bytes| bytes as f64)
}

fn no_image(packed: &Packed) -> Needs {
    format!("an image of `{}`, which was not made in this run", packed.name)
}

/// The unit in which a claim about this metric is stated.
fn unit_of(metric: &str) -> &'static str {
    match Metric::named(metric).unit {
        Unit::Nanoseconds => "ms",
        Unit::Bytes => "kB",
        Unit::Count => "",
    }
}

fn with_interval(ratio: &PairedRatio) -> Option<String> {
    let centre = shown(ratio.ratio?);
    Some(match ratio.interval {
        Some(interval) => format!("{centre}× ({}× to {}×)", shown(interval.low), shown(interval.high)),
        None => format!("{centre}×"),
    })
}
