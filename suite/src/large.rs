//! The report of a run with very many samples: in bounds of memory and processor time that the kernel keeps, and a page that
//! can still be sent to somebody.
//!
//! Not here: what the report says (`crates/report`). The samples are those of a recorded run over and over.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::Rig;
use results::store::RunDir;
use xtask::commands::report::recorded;

/// A quarter of the million that a report is made for: a stage has to be short.
const SAMPLES: usize = 250_000;
/// What may be written to. Of a million samples with seven or eight numbers each 300 MB are used, of which each takes a fifth of a kB; when
/// it had its names to itself, and files were whole in memory before they were written, it was 1 kB.
const MEMORY_KB: u32 = 150_000;
/// Several times what it takes.
const PROCESSOR_SECONDS: u32 = 30;

/// Makes the run, and reports it.
pub fn very_many(rig: &Rig) -> anyhow::Result<()> {
    let folder = rig.scratch.join("very-many");
    write(&recorded(&rig.workspace)?, &folder)?;
    let limits = format!("ulimit -d {MEMORY_KB}; ulimit -t {PROCESSOR_SECONDS}; exec \"$@\"");
    rig.xtask_below("sh", ["-c", &limits, "sh"]).arg("report").arg(&folder).run()?;
    let page = std::fs::read_to_string(folder.join("report.html"))?;
    ensure!(page.len() < 1_000_000, "the page has {} bytes", page.len());
    ensure!(page.contains("dots are drawn") && page.contains("runs are drawn"), "it does not say what is not drawn");
    let lines = std::fs::read_to_string(folder.join("exports/samples.csv"))?.lines().count();
    ensure!(lines > SAMPLES, "`samples.csv` has {lines} lines");
    Ok(std::fs::remove_dir_all(&folder)?)
}

/// The rounds of a run again and again, after its warm-up.
fn write(from: &RunDir, folder: &Path) -> anyhow::Result<()> {
    let mut manifest = from.manifest()?;
    let text = std::fs::read_to_string(from.samples_path())?;
    let lines: Vec<(u32, &str)> =
        text.lines().map(|line| Ok((round(line)?, line))).collect::<anyhow::Result<Vec<_>>>()?;
    let (warmup, counted): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(round, _)| *round < manifest.warmup_rounds);
    let recorded = manifest.rounds;
    let copies = u32::try_from(SAMPLES / counted.len())? + 1;
    manifest.rounds = recorded * copies;
    let finished = manifest.finished.as_mut().context("the recorded run has no end")?;
    finished.samples = Some((warmup.len() + counted.len() * copies as usize) as u64);
    let run = RunDir::create(folder, &manifest)?;
    let mut file = BufWriter::new(std::fs::File::create(run.samples_path())?);
    for (_, line) in warmup {
        writeln!(file, "{line}")?;
    }
    for copy in 0..copies {
        for (round, line) in &counted {
            let moved = format!("\"round\":{},", round + copy * recorded);
            writeln!(file, "{}", line.replacen(&format!("\"round\":{round},"), &moved, 1))?;
        }
    }
    Ok(file.flush()?)
}

fn round(line: &str) -> anyhow::Result<u32> {
    let number = line.split_once("\"round\":").and_then(|(_, rest)| rest.split_once(','));
    let (number, _) = number.with_context(|| format!("a sample without a round: {line}"))?;
    Ok(number.parse()?)
}
