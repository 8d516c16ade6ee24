//! Ratios of two containers that different runtimes made: how they are marked wherever they stand, and what the mark
//! says. Native images run under runc and modules in the WasmEdge shim, so such a ratio holds what the runtimes cost.
//!
//! Not here: which comparisons these are (they come with the summary).

use super::{comparison, ratio, verdict};
use crate::Run;
use crate::number::{NONE, Rounded};
use results::case::Case;
use results::{Comparison, Verdict};

/// What stands behind such a ratio.
pub const MARK: &str = "†";

/// A ratio as it stands in every table: `1.31× to 1.38×`, with the mark where two runtimes are in it.
pub fn marked_ratio(row: &Comparison) -> String {
    let text = ratio(row).times();
    if row.across_runtimes && text != NONE { format!("{text}{MARK}") } else { text }
}

/// A verdict as it stands in every table: a ratio across two runtimes alone makes no program faster. A verdict that says
/// nothing needs no mark.
pub fn marked_verdict(row: &Comparison) -> String {
    let text = verdict(row.verdict);
    let says = matches!(row.verdict, Verdict::Faster | Verdict::Slower | Verdict::Same);
    if row.across_runtimes && says { format!("{text} {MARK}") } else { text.to_owned() }
}

/// The control arm of a bench, the native image in the shim over the same under runc: what the runtimes alone make of
/// the difference.
pub fn control_arm(run: &Run, bench: &str) -> Option<Rounded> {
    comparison(run, bench, &Case::NATIVE_WASMEDGE.to_string()).map(ratio).filter(|ratio| ratio.value != NONE)
}

/// What the mark means, for a table with rows of these benches; nothing when none of them bears it.
pub fn note<'a>(run: &Run, benches: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let is_marked = |bench: &&str| {
        let mut rows = run.summary.comparisons.iter();
        rows.any(|row| row.bench == *bench && row.across_runtimes && row.ratio.is_some())
    };
    let marked: Vec<&str> = benches.into_iter().filter(is_marked).collect();
    if marked.is_empty() {
        return None;
    }
    let arms: Vec<String> = marked
        .iter()
        .filter_map(|bench| Some(format!("{} as long on {bench}", control_arm(run, bench)?.times())))
        .collect();
    let told = if arms.is_empty() {
        "; `--case native/wasmedge` would tell how much of it".to_owned()
    } else {
        format!(": the native image takes {} in the shim as with runc", arms.join(", "))
    };
    Some(format!(
        "{MARK} Across two runtimes, runc and the WasmEdge shim, whose difference is a part of the ratio{told}."
    ))
}
