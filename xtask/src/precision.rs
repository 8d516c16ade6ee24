//! How precise a run is so far: what `--until` looks at.

use results::{Manifest, Outcome, Sample, analysis};

/// The widest relative interval of a case's ratio to its baseline, as a fraction; `None` while one has no interval.
pub fn widest(manifest: &Manifest, samples: &[Sample]) -> Option<f64> {
    let able = |case: &str| samples.iter().any(|sample| sample.case == case && sample.outcome == Outcome::Ok);
    analysis::precision(manifest, samples, |row| {
        let cell = manifest.cell(&row.case);
        let is_to_baseline = cell.is_some_and(|cell| cell.case.baseline.as_ref() == Some(&row.baseline));
        is_to_baseline && able(&row.case) && able(&row.baseline)
    })
}
