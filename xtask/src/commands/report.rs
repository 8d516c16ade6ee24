//! `report`: everything in a run's folder but manifest and samples, computed again from these two.

use anyhow::{Context as _, ensure};

use crate::analysis;
use crate::cli::{Exit, Format, ReportArgs};
use crate::report::markdown::Origin;
use crate::results::RunStatus;
use crate::results::store::{Run, RunDir};
use crate::workspace::Workspace;
use crate::{claims, commands, report};

/// A run with what was computed from it.
#[derive(Debug)]
pub struct Reported {
    /// The facts, and what follows from them.
    pub run: report::Run,
    /// What the samples lack or have too much of.
    pub lost: Vec<String>,
}

/// Rebuilds a run's report and shows it.
pub fn run(workspace: &Workspace, args: &ReportArgs) -> anyhow::Result<Exit> {
    if args.readme {
        let path = workspace.root().join("README.md");
        std::fs::write(&path, readme(workspace)?).with_context(|| format!("can not write `{}`", path.display()))?;
        crate::console::note(format_args!("`{}` shows the recorded run", path.display()));
        return Ok(Exit::Done);
    }
    let dir = match &args.run {
        Some(name) => RunDir::find(&workspace.results(), name)?,
        None => RunDir::newest(&workspace.results())?,
    };
    let reported = read(workspace, &dir)?;
    if args.markdown {
        commands::print(&report::markdown::pull_request(&reported.run))?;
    } else {
        show(&reported, args.format.format)?;
    }
    // Shown first: a run on a disk that takes nothing can still be looked at.
    store(&reported, &dir)?;
    crate::console::note(page(&dir));
    Ok(if reported.is_whole() { Exit::Done } else { Exit::Partial })
}

impl Reported {
    /// Whether every planned run took place and has its line.
    pub fn is_whole(&self) -> bool {
        let status = self.run.manifest.finished.as_ref().map(|finished| finished.status);
        self.lost.is_empty() && status == Some(RunStatus::Complete)
    }
}

/// Reads a run and computes what follows from it, telling what was lost.
pub fn read(workspace: &Workspace, dir: &RunDir) -> anyhow::Result<Reported> {
    let run = dir.read()?;
    for lost in &run.lost {
        crate::console::note(format_args!("`{}`: {lost}", dir.samples_path().display()));
    }
    let claims = claims::load(&workspace.claims_toml())?;
    let mut summary = analysis::analyse(&run.manifest, &run.samples, &claims);
    summary.warnings.splice(0..0, analysis::damage(&run.lost));
    let Run { manifest, samples, lost } = run;
    Ok(Reported { run: report::Run { manifest, samples, summary }, lost })
}

/// Everything that is computed from a run, by file name.
pub fn files(workspace: &Workspace, dir: &RunDir) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    report::files(&read(workspace, dir)?.run)
}

/// Writes the report of a run into its folder.
pub fn write(workspace: &Workspace, dir: &RunDir) -> anyhow::Result<Reported> {
    let reported = read(workspace, dir)?;
    store(&reported, dir)?;
    Ok(reported)
}

fn store(reported: &Reported, dir: &RunDir) -> anyhow::Result<()> {
    for (name, bytes) in report::files(&reported.run)? {
        dir.write(&name, &bytes).with_context(|| {
            format!(
                "the report could not be kept in `{}`, the files there are as they were before",
                dir.path().display()
            )
        })?;
    }
    Ok(())
}

/// Shows a report on stdout.
pub fn show(reported: &Reported, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => commands::print_json(&reported.run.summary),
        Format::Text => commands::print_report(&reported.run),
    }
}

/// Where a run's page is, to be opened.
pub fn page(dir: &RunDir) -> String {
    let page = dir.path().join("report.html");
    let page = std::path::absolute(&page).unwrap_or(page);
    format!("the page with every sample: {}", page.display())
}

/// The one run that is recorded with the project.
///
/// # Errors
/// When there is none, or more than one.
pub fn recorded(workspace: &Workspace) -> anyhow::Result<RunDir> {
    let folder = workspace.results().join("recorded");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("can not list `{}`", folder.display()))? {
        let entry = entry?;
        if entry.path().join("manifest.json").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    let newest = names.pop().with_context(|| format!("there is no recorded run in `{}`", folder.display()))?;
    RunDir::find(&folder, &newest)
}

/// The README with the recorded run's result between its markers.
pub fn readme(workspace: &Workspace) -> anyhow::Result<String> {
    let path = workspace.root().join("README.md");
    let text = std::fs::read_to_string(&path).with_context(|| format!("can not read `{}`", path.display()))?;
    let dir = recorded(workspace)?;
    let reported = read(workspace, &dir)?;
    ensure!(reported.lost.is_empty(), "the recorded run is damaged");
    let section = {
        let folder = format!("results/recorded/{}", dir.name());
        let origin = Origin { folder: &folder, command: "cargo xtask report --readme" };
        report::markdown::result_section(&reported.run, origin)
    };
    report::markdown::splice(&text, &section)
}
