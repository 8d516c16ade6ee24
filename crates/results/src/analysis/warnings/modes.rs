//! Rows of which nobody knows how their modules were executed.

use super::{Findings, warning};
use crate::Warning;

/// A warning when a mode was looked for and not told; what contradicts is not measured, and said so there.
pub fn untold(findings: &Findings<'_>) -> Option<Warning> {
    let cells = findings.cells.manifest.cells.iter().filter(|cell| !cell.is_twin());
    let untold: Vec<(String, &str)> = cells
        .filter_map(|cell| {
            let seen = cell.mode_observed.as_ref().filter(|seen| seen.mode.is_none())?;
            Some((format!("`{cell}`"), seen.reason.as_deref().unwrap_or("nothing is known of why")))
        })
        .collect();
    let (_, reason) = untold.first()?;
    let names: Vec<&str> = untold.iter().map(|(name, _)| name.as_str()).collect();
    Some(warning(
        format!("whether modules were interpreted or compiled could not be told for {}: {reason}", names.join(", ")),
        "their rows stand as what was asked for, and may be something else: measure again on a quieter machine",
    ))
}

#[cfg(test)]
mod tests {
    use crate::analysis::analyse;
    use crate::analysis::fixture::{manifest, samples};
    use crate::case::Mode;
    use crate::observed::ModeObserved;

    #[test]
    fn what_was_looked_for_and_not_told_is_said_once_with_the_reason() {
        let mut manifest = manifest(10);
        let said = |manifest: &crate::Manifest| {
            let summary = analyse(manifest, &samples(manifest), &[]);
            summary.warnings.into_iter().filter(|warning| warning.what.contains("interpreted or compiled")).collect()
        };
        let none: Vec<crate::Warning> = said(&manifest);
        assert!(none.is_empty(), "{none:?}");
        for cell in manifest.cells.iter_mut().filter(|cell| cell.case.mode == Mode::Aot) {
            cell.mode_observed = Some(ModeObserved::untold("it was interrupted"));
        }
        let told: Vec<crate::Warning> = said(&manifest);
        assert_eq!(told.len(), 1);
        assert!(told[0].what.ends_with("`wasm-aot/process`, `wasm-aot/wasmedge`: it was interrupted"), "{told:?}");
    }
}
