//! Over the nodes of a cluster: each ratio of all of them together, and what differs between them.
//!
//! Every node runs every cell in each round, so that a round has a ratio of each node. They are pooled within their round,
//! never across rounds. Not here: the rows of each node, which are those of any bench.

use super::Level;
use super::cells::Cells;
use super::ratios::pairs;
use crate::summary::{AcrossNodes, NodesRatio};
use crate::{BenchRecord, Manifest};
use stats::{Pair, PairedRatio, Timed, mean_paired_ratio};

/// A bench that was run on several nodes: its name, and its part on each.
type Parts<'a> = (&'a str, Vec<(&'a str, &'a BenchRecord)>);

/// What the metric comes to over nodes, for each bench that ran on several.
pub fn across_nodes(cells: &Cells<'_>, level: Level) -> Vec<AcrossNodes> {
    let rows = parts(cells.manifest).into_iter().map(|parts| of_bench(cells, &parts, level));
    rows.filter(|row| !row.pooled.is_empty() || !row.between.is_empty()).collect()
}

fn parts(manifest: &Manifest) -> Vec<Parts<'_>> {
    let mut found: Vec<Parts<'_>> = Vec::new();
    for bench in &manifest.benches {
        let Some(on) = &bench.on_node else { continue };
        match found.iter_mut().find(|(name, _)| *name == on.bench) {
            Some((_, parts)) => parts.push((&on.node, bench)),
            None => found.push((&on.bench, vec![(&on.node, bench)])),
        }
    }
    found.retain(|(_, parts)| parts.len() > 1);
    found
}

fn of_bench(cells: &Cells<'_>, (name, parts): &Parts<'_>, level: Level) -> AcrossNodes {
    let timed =
        |bench: &BenchRecord, case: &str| cells.get(&bench.name, case).map_or(&[][..], |runs| runs.ok.as_slice());
    let cases = cells.cases();
    let pooled = pairs(&cases).into_iter().filter_map(|(case, baseline)| {
        let of_nodes = parts.iter().map(|(_, bench)| (timed(bench, &case.name), timed(bench, &baseline.name)));
        ratio([&case.name, &baseline.name], of_nodes, level)
    });
    let pooled = pooled.collect();
    let mut nodes = parts.iter();
    let between = nodes.next().map(|(reference, first)| {
        let other = |(node, bench): &(&str, &BenchRecord)| {
            let of_cases = cases.iter().map(|case| (timed(bench, &case.name), timed(first, &case.name)));
            // A node that lacks a handler has none of its cases.
            ratio([node, reference], of_cases.filter(|(here, there)| !here.is_empty() && !there.is_empty()), level)
        };
        nodes.filter_map(other).collect()
    });
    AcrossNodes {
        bench: (*name).to_owned(),
        metric: cells.metric.name.to_string(),
        nodes: parts.iter().map(|(node, _)| (*node).to_owned()).collect(),
        pooled,
        between: between.unwrap_or_default(),
    }
}

/// `None` where no round has all of them.
fn ratio<'a>(
    [of, to]: [&str; 2],
    pairs: impl Iterator<Item = (&'a [Timed], &'a [Timed])>,
    level: Level,
) -> Option<NodesRatio> {
    let pairs: Vec<Pair<'_>> = pairs.map(|(case, baseline)| Pair { case, baseline }).collect();
    let PairedRatio { n, ratio, interval } = mean_paired_ratio(&pairs, level.confidence);
    (n > 0).then(|| NodesRatio {
        of: of.to_owned(),
        to: to.to_owned(),
        n,
        ratio,
        ci_low: interval.map(|interval| interval.low),
        ci_high: interval.map(|interval| interval.high),
        confidence: interval.map(|interval| interval.confidence),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, fixture};
    use crate::bench::OnNode;
    use crate::metric::HEADLINE;
    use crate::{MaybeNs, Outcome, Sample};

    const CASES: [&str; 2] = ["native/runc", "wasm-aot/wasmedge"];

    /// Two nodes, the second half as fast; the module takes half of native on the first, and 1/8 on the second.
    fn found() -> Vec<AcrossNodes> {
        let mut manifest = fixture::manifest(6);
        let mut bench = manifest.benches[0].clone();
        manifest.benches = ["n1", "n2"]
            .map(|node| {
                bench.name = format!("array-sum@{node}");
                bench.on_node = Some(OnNode { bench: "array-sum".to_owned(), node: node.to_owned() });
                bench.clone()
            })
            .to_vec();
        manifest.cells.retain(|cell| CASES.contains(&cell.name.as_str()));
        let mut samples = Vec::new();
        for round in 0..6 {
            for (bench, values) in [("array-sum@n1", [1000, 500]), ("array-sum@n2", [2000, 250])] {
                for (case, value) in CASES.iter().zip(values) {
                    samples.push(sample(bench, case, (round, value * (1 + u64::from(round)))));
                }
            }
        }
        // A round that one node lacks is none of both.
        samples.retain(|sample| sample.round != 5 || sample.bench != "array-sum@n2");
        samples.extend(
            CASES.iter().flat_map(|case| [sample("array-sum@n1", case, (6, 1)), sample("array-sum@n2", case, (6, 1))]),
        );
        analyse(&manifest, &samples, &[]).across_nodes
    }

    fn sample(bench: &str, case: &str, (round, value): (u32, u64)) -> Sample {
        Sample {
            bench: bench.into(),
            case: case.into(),
            round,
            position: 0,
            warmup: false,
            values: std::collections::BTreeMap::from([(HEADLINE.to_owned(), value)]).into(),
            user_ns: MaybeNs::NONE,
            system_ns: MaybeNs::NONE,
            outcome: Outcome::Ok,
            reason: None,
            output_sha256: None,
        }
    }

    #[test]
    fn nodes_are_pooled_within_their_round_and_held_against_the_first() {
        let found = found();
        let [row] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((row.bench.as_str(), row.nodes.as_slice()), ("array-sum", &["n1".to_owned(), "n2".to_owned()][..]));
        let pooled = row.pooled.iter().find(|row| row.of == CASES[1] && row.to == CASES[0]).unwrap();
        // The geometric mean of 1/2 and 1/8.
        assert_eq!(pooled.n, 6);
        assert!((pooled.ratio.unwrap() - 0.25).abs() < 1e-9, "{pooled:?}");
        assert_eq!(pooled.ci_high, Some(1.0));
        // Native takes twice as long there, the module half: over both that is no difference.
        let [between] = row.between.as_slice() else { panic!("{row:?}") };
        assert_eq!([between.of.as_str(), between.to.as_str()], ["n2", "n1"]);
        assert!((between.ratio.unwrap() - 1.0).abs() < 1e-9, "{between:?}");
    }
}
