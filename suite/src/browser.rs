//! The stage on `report.html` as a browser sees it. Chromium is not part of the toolbox: where the host has
//! none, the stage says so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::{Check, Rig};
use report::document::{Form, Section};
use results::store::RunDir;
use xtask::cmd::{Cmd, Output};
use xtask::commands::report::{read, recorded};

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Opens the reports of recorded runs.
pub fn browser(rig: &Rig) -> Vec<Check> {
    let name = "report.html opens without a console message, with every section";
    let Some(chromium) = NAMES.into_iter().find(|name| Cmd::new(name).arg("--version").run().is_ok()) else {
        return vec![Check::skipped(name, "no Chromium on this host (Debian: `apt-get install chromium`)")];
    };
    let page = match page_with_every_section(rig) {
        Ok(page) => page,
        Err(error) => return vec![Check::of(name, Err(error))],
    };
    let mut checks = vec![Check::of(name, opens(rig, chromium, &page))];
    for (width, what) in [(1200, "a desk"), (390, "a phone")] {
        let name = format!("it is drawn at the width of {what}");
        checks.push(Check::of(name, drawn(rig, chromium, &page, width)));
    }
    checks.push(Check::of(
        "what matters is wide enough at a desk, and within the screen of a phone",
        fits(rig, chromium),
    ));
    checks
}

/// The page of the newest recorded run with a sweep, as it would be made now: only such a run has every section.
fn page_with_every_section(rig: &Rig) -> anyhow::Result<PathBuf> {
    let runs = RunDir::recorded(&rig.workspace.results())?;
    let has_sweep =
        |run: &&RunDir| run.read().is_ok_and(|run| run.manifest.benches.iter().any(|bench| bench.sweep.is_some()));
    let run = runs.iter().rev().find(has_sweep).context("no recorded run has a sweep")?;
    Ok(copied(rig, run, "page-with-every-section")?.join("report.html"))
}

/// A copy of a run's facts, with its report made anew.
fn copied(rig: &Rig, run: &RunDir, name: &str) -> anyhow::Result<PathBuf> {
    let copy = rig.scratch.join(name);
    std::fs::create_dir(&copy)?;
    crate::rig::copy_facts(run.path(), &copy)?;
    rig.xtask(&["report"]).arg(&copy).run()?;
    Ok(copy)
}

/// Tells the page around it positions in this one.
const RULER: &str = "<script>
const edge = s => Math.max(...[...document.querySelectorAll(s)].map(e => Math.ceil(e.getBoundingClientRect().right)));
const width = s => Math.min(...[...document.querySelectorAll(s)].map(e => Math.floor(e.getBoundingClientRect().width)));
parent.postMessage(`ruler ${edge('#result td:last-child')} ${width('#claims tr.note td')} ${innerWidth} end`, '*');
</script>";

fn fits(rig: &Rig, program: &str) -> anyhow::Result<()> {
    let copy = copied(rig, &recorded(&rig.workspace)?, "page-to-measure")?;
    let page = copy.join("report.html");
    let text = std::fs::read_to_string(&page)?.replace("</body>", &format!("{RULER}</body>"));
    std::fs::write(&page, text)?;
    // A window can not be as narrow as a phone here, a frame can.
    let around = copy.join("around.html");
    for (wide, least) in [(1280, 300), (390, 200)] {
        let html = format!(
            "<body><script>onmessage = e => document.body.append(e.data)</script>\
             <iframe src=\"report.html\" style=\"width:{wide}px;height:900px;border:0\"></iframe></body>"
        );
        std::fs::write(&around, html)?;
        let args = ["--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom"].map(str::to_owned);
        let dom = chromium(rig, program, &around, &args)?.text();
        let (_, found) = dom.rsplit_once("ruler ").context("the page was not measured")?;
        let numbers: Vec<u32> = found.split(' ').map_while(|word| word.parse().ok()).collect();
        let [edge, reason, window] = numbers[..] else { bail!("measured {numbers:?}") };
        ensure!(window == wide, "the window is {window} pixels wide instead of {wide}");
        ensure!(edge <= wide, "at {wide} pixels the central table ends at {edge}");
        ensure!(reason >= least, "at {wide} pixels the reasons of the claims have {reason}");
    }
    Ok(())
}

fn chromium(rig: &Rig, program: &str, page: &Path, args: &[String]) -> anyhow::Result<Output> {
    let profile = rig.scratch.join("chromium");
    Cmd::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-sync", "--disable-component-update", "--enable-logging=stderr", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(args)
        .arg(format!("file://{}", page.display()))
        .limit(Duration::from_mins(2))
        .run()
}

fn opens(rig: &Rig, program: &str, page: &Path) -> anyhow::Result<()> {
    let output = chromium(rig, program, page, &["--dump-dom".to_owned()])?;
    let console: Vec<String> = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains(":CONSOLE"))
        .map(str::to_owned)
        .collect();
    ensure!(console.is_empty(), "console: {console:#?}");
    let dom = output.text();
    let folder = page.parent().context("a page is in a folder")?;
    let run = read(&rig.workspace, &RunDir::find(&rig.workspace.results(), &folder.to_string_lossy())?)?.run;
    let sections: Vec<Section> = report::sections::all(&run);
    let shown: Vec<&Section> = sections.iter().filter(|section| section.is_in(Form::Page)).collect();
    ensure!(shown.len() > 10, "only {} sections are to be in it", shown.len());
    for Section { id, .. } in shown {
        ensure!(dom.contains(&format!("id=\"{id}\"")), "no section `{id}`");
    }
    Ok(())
}

fn drawn(rig: &Rig, program: &str, page: &Path, width: u32) -> anyhow::Result<()> {
    let picture = rig.scratch.join(format!("report-{width}.png"));
    let args = [format!("--window-size={width},1600"), format!("--screenshot={}", picture.display())];
    chromium(rig, program, page, &args)?;
    let bytes = std::fs::read(&picture)?;
    // An empty page of that size compresses to a few kilobytes.
    ensure!(bytes.len() > 20_000, "the picture has only {} bytes", bytes.len());
    Ok(())
}
