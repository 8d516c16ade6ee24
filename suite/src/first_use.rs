//! The stage on first use and the ledger of bytes: a short real run whose truth is known in one place. A registry behind a
//! link of 10 Mbit/s shows in the pull, as its bytes say, and nowhere else.

use std::path::Path;

use anyhow::{Context as _, ensure};

use super::measuring::failures;
use super::{Check, Rig};
use results::first_use::{Class, FirstUse, FirstUseRow, FirstUseSample, PULL, RUN, TRANSFERRED, parse};
use results::node::NodePart;
use results::{Outcome, Summary};
use stats::{Confidence, Pair, Timed, paired_ratio};

/// The fewest rounds that have a 95 % interval of a median.
const ROUNDS: u32 = 6;
/// The link, in bits per second.
const LINK_BITS_PER_SECOND: f64 = 10e6;
/// What a pull over the link may take beyond the time of its bytes: so many times the pull without it, and this. Two more
/// threads and a queue are between containerd and registry, on a machine that others may use.
const SLACK: (f64, f64) = (2.0, 0.5e9);
/// The median ratio of the run after either pull lies within this factor of 1.
const ALIKE: f64 = 2.0;

const CASES: [&str; 4] = ["native/runc", "wasm-interpreter/wasmedge", "wasm-aot/wasmedge", "wasm-interpreter/process"];

/// One run with everything about first use, and what it says.
pub fn first_use(rig: &Rig) -> Vec<Check> {
    let name = "each class of each case is measured";
    if let Some(reason) = rig.no_containers() {
        return vec![Check::skipped(name, reason)];
    }
    let out = rig.scratch.join("first-use");
    let rounds = ROUNDS.to_string();
    let mut args: Vec<&str> = vec!["bench", "--bench", "array-sum", "--rounds", &rounds, "--first-use"];
    args.extend(["--first-use-rounds", &rounds, "--link", "10", "--out"]);
    let folder = out.to_string_lossy().into_owned();
    args.push(&folder);
    args.extend(CASES.iter().flat_map(|case| ["--case", *case]));
    if let Err(error) = rig.xtask(&args).run() {
        return vec![Check::of(name, Err(error.context(failures(&out))))];
    }
    let read = read(&out);
    let (summary, samples) = match read {
        Ok(read) => read,
        Err(error) => return vec![Check::of(name, Err(error))],
    };
    let Some(found) = &summary.first_use else {
        return vec![Check::of(name, Err(anyhow::anyhow!("`summary.json` has no `first_use`")))];
    };
    vec![
        Check::of(name, classes(found, &samples)),
        Check::of("a link of 10 Mbit/s shows in the pull, as its bytes say", link_in_pull(&samples)),
        Check::of("and not in the run after it", link_nowhere_else(&samples)),
        Check::of("no sample of first use is in a warm row", apart(&summary)),
        Check::of("compiling ahead of time has its time, and the runs that pay for it", compiled(found)),
        Check::of("the ledger goes from the file to the disk of a node", ledger(&summary)),
    ]
}

fn read(out: &Path) -> anyhow::Result<(Summary, Vec<FirstUseSample>)> {
    let summary = serde_json::from_slice(&std::fs::read(out.join("summary.json"))?).context("`summary.json`")?;
    let (samples, lost) = parse(&std::fs::read(out.join("first-use.jsonl"))?);
    ensure!(lost.is_empty(), "{lost:?}");
    Ok((summary, samples))
}

fn row<'a>(
    found: &'a FirstUse,
    (case, class): (&str, Class),
    value: &str,
    over_link: bool,
) -> anyhow::Result<&'a FirstUseRow> {
    let is_it = |row: &&FirstUseRow| {
        row.case == case && row.class == class && row.value == value && row.link.is_some() == over_link
    };
    found.rows.iter().find(is_it).with_context(|| format!("no row for {case} {class} {value}"))
}

fn classes(found: &FirstUse, samples: &[FirstUseSample]) -> anyhow::Result<()> {
    let failed: Vec<_> = samples.iter().filter(|sample| sample.outcome != Outcome::Ok).collect();
    ensure!(failed.is_empty(), "these runs failed: {failed:#?}");
    for case in CASES {
        let is_container = !case.ends_with("/process");
        let classes = Class::ALL.into_iter().filter(|class| *class != Class::Compile);
        for class in classes.filter(|class| is_container || [Class::ColdCache, Class::Warm].contains(class)) {
            let row = row(found, (case, class), "wall_ns", false)?;
            ensure!(row.n == ROUNDS as usize && row.failed == 0 && row.median.is_some(), "{row:?}");
            ensure!(row.ratio_to_warm.is_some() != (class == Class::Warm), "{row:?}");
        }
    }
    Ok(())
}

/// The samples of the class `not-pulled`, over the link or not, by case.
fn pulled<'a>(
    samples: &'a [FirstUseSample],
    case: &'a str,
    over_link: bool,
) -> impl Iterator<Item = &'a FirstUseSample> {
    samples.iter().filter(move |sample| {
        sample.case == case && sample.class == Class::NotPulled && sample.link.is_some() == over_link
    })
}

fn value(sample: &FirstUseSample, name: &str) -> anyhow::Result<f64> {
    Ok(*sample.values.get(name).with_context(|| format!("no `{name}` in {sample:?}"))? as f64)
}

fn median(samples: Vec<f64>) -> anyhow::Result<f64> {
    stats::Samples::new(samples).map(|samples| samples.median()).context("no samples")
}

fn link_in_pull(samples: &[FirstUseSample]) -> anyhow::Result<()> {
    for case in CASES.iter().filter(|case| !case.ends_with("/process")) {
        let mut over = Vec::new();
        for sample in pulled(samples, case, true) {
            let (pull, bytes) = (value(sample, PULL)?, value(sample, TRANSFERRED)?);
            let least = bytes * 8.0 / LINK_BITS_PER_SECOND * 1e9;
            ensure!(pull >= least, "{case}: {bytes} bytes in {pull} ns, and 10 Mbit/s need {least}");
            over.push(pull - least);
        }
        ensure!(over.len() == ROUNDS as usize, "{case}: {} pulls over the link", over.len());
        let local = pulled(samples, case, false).map(|sample| value(sample, PULL)).collect::<anyhow::Result<_>>()?;
        let (over, local) = (median(over)?, median(local)?);
        ensure!(
            over <= SLACK.0 * local + SLACK.1,
            "{case}: {over} ns beyond the time of its bytes, and {local} ns without the link"
        );
    }
    Ok(())
}

fn link_nowhere_else(samples: &[FirstUseSample]) -> anyhow::Result<()> {
    for case in CASES.iter().filter(|case| !case.ends_with("/process")) {
        let runs = |over_link| {
            pulled(samples, case, over_link)
                .map(|sample| Ok(Timed { round: sample.round, value: value(sample, RUN)? }))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let (over, local) = (runs(true)?, runs(false)?);
        let ratio = paired_ratio(Pair { case: &over, baseline: &local }, Confidence::DEFAULT).ratio;
        let ratio = ratio.context("no ratio")?;
        ensure!((1.0 / ALIKE..=ALIKE).contains(&ratio), "{case}: the run takes {ratio} of that after a local pull");
    }
    Ok(())
}

fn apart(summary: &Summary) -> anyhow::Result<()> {
    ensure!(summary.cases.iter().all(|row| row.n == ROUNDS as usize && row.failed == 0), "{:?}", summary.cases);
    ensure!(summary.warnings.iter().all(|warning| !warning.what.contains("lost")), "{:?}", summary.warnings);
    Ok(())
}

fn compiled(found: &FirstUse) -> anyhow::Result<()> {
    let row = found.compiled.iter().find(|row| row.case == "wasm-aot").context("no row for `wasm-aot`")?;
    ensure!(row.n == ROUNDS as usize && row.median.is_some_and(|median| median.low > 0.0), "{row:?}");
    let paid = found.paid_off.iter().find(|row| row.case == "wasm-aot/wasmedge").context("nothing is paid off")?;
    ensure!(paid.other == "wasm-interpreter/wasmedge" && paid.saved_ns.value > 0.0, "{paid:?}");
    Ok(())
}

fn ledger(summary: &Summary) -> anyhow::Result<()> {
    let ledger = summary.ledger.as_ref().context("no `ledger`")?;
    for case in CASES.iter().filter(|case| !case.ends_with("/process")) {
        let arm = ledger.arms.iter().find(|arm| arm.case == *case && arm.program == "array-sum");
        let arm = arm.with_context(|| format!("no row for {case}"))?;
        let (content, snapshot) = (arm.content_store_bytes.context("no content")?, arm.snapshot_bytes.context("none")?);
        let transfer = arm.transfer_bytes.context("no image")?;
        // Blocks of at most 64 KiB for three blobs, and for a file and its folders.
        ensure!((transfer..=transfer + (3 << 17)).contains(&content), "{content} for {transfer}: {arm:?}");
        ensure!((arm.file_bytes..=arm.file_bytes + (8 << 17)).contains(&snapshot), "{arm:?}");
        ensure!(
            ledger.nodes.iter().any(|node| node.case == *case && node.total_bytes > 10_000_000),
            "{:?}",
            ledger.nodes
        );
    }
    let direct = ledger.nodes.iter().find(|node| node.case == "wasm-interpreter/process").context("no engine")?;
    let has_compiler = direct.parts.iter().any(|part| part.part == NodePart::Compiler);
    ensure!(has_compiler && direct.without_compiler_bytes < direct.total_bytes, "{direct:?}");
    let shim = ledger.nodes.iter().find(|node| node.case == "wasm-aot/wasmedge").context("no shim")?;
    ensure!(shim.without_compiler_bytes == shim.total_bytes, "the shim has the compiler: {shim:?}");
    ensure!(ledger.disk.iter().any(|row| row.case == "wasm-aot/wasmedge" && row.baseline == "native/runc"), "no row");
    Ok(())
}
