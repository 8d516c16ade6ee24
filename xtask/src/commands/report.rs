//! `report`: everything in a run's folder but manifest and samples, computed again from these two.

use std::cell::OnceCell;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::cli::{Exit, Format, ReportArgs};
use crate::cmd::Cmd;
use crate::workspace::Workspace;
use crate::{commands, prepare};
use report::document::Document;
use report::markdown::Origin;
use results::analysis;
use results::store::{Run, RunDir};
use results::{Manifest, Role, RunStatus};

/// A run with what was computed from it.
#[derive(Debug)]
pub struct Reported {
    /// The facts, and what follows from them.
    pub run: report::Run,
    /// What the samples lack or have too much of.
    pub lost: Vec<String>,
    /// What is said of it, once it was asked for.
    document: OnceCell<Document>,
}

/// Rebuilds a run's report and shows it.
pub fn run(workspace: &Workspace, args: &ReportArgs) -> anyhow::Result<Exit> {
    let results = prepare::own::results_of(args.file.as_deref())?.unwrap_or_else(|| workspace.results());
    let mut named = args.runs.iter().map(|name| RunDir::find(&results, name)).collect::<anyhow::Result<Vec<_>>>()?;
    if named.len() > 1 {
        ensure!(!args.readme && !args.markdown, "`--readme` and `--markdown` are of one run: name one");
        return history(workspace, (&named, &results), args);
    }
    let named = named.pop();
    if args.readme {
        return show_in_readme(workspace, &named.map_or_else(|| recorded(workspace), Ok)?);
    }
    let dir = named.map_or_else(|| RunDir::newest(&results), Ok)?;
    if dir.manifest()?.density.is_some() {
        return commands::density::report(&dir, args.format.format);
    }
    let reported = read(workspace, &dir)?;
    if args.markdown {
        commands::print(&report::markdown::pull_request(&reported.run, reported.document()))?;
    } else {
        show(&reported, args.format.format)?;
    }
    // Shown first: a run on a disk that takes nothing can still be looked at.
    store(&reported, &dir)?;
    crate::console::note(page(&dir));
    if args.open {
        open(&dir.path().join("report.html"))?;
    }
    Ok(if reported.is_whole() { Exit::Done } else { Exit::Partial })
}

/// Several runs beside each other, on a page of their own, where runs go.
fn history(workspace: &Workspace, (dirs, results): (&[RunDir], &Path), args: &ReportArgs) -> anyhow::Result<Exit> {
    ensure!(args.format.format == Format::Text, "a history has no JSON form: take the `summary.json` of each run");
    for dir in dirs {
        let of_density = dir.manifest()?.density.is_some();
        ensure!(!of_density, "`{}` is a density run, and a history is of benches: name it alone", dir.name());
    }
    let reported = dirs.iter().map(|dir| read(workspace, dir)).collect::<anyhow::Result<Vec<_>>>()?;
    let is_whole = reported.iter().all(Reported::is_whole);
    let runs: Vec<report::Run> = reported.into_iter().map(|reported| reported.run).collect();
    let document = report::sections::history::document(&runs);
    commands::print_document(&document)?;
    let path = results.join("history.html");
    std::fs::create_dir_all(results).with_context(|| format!("can not make `{}`", results.display()))?;
    files::write_whole(&path, report::html::page(&document).as_bytes())
        .with_context(|| format!("can not write `{}`", path.display()))?;
    crate::console::note(format_args!("the page with all of them: {}", path.display()));
    if args.open {
        open(&path)?;
    }
    Ok(if is_whole { Exit::Done } else { Exit::Partial })
}

/// What shows a page in whatever browser there is: of a desktop, of Debian, of a Linux within Windows.
const OPENERS: [&str; 3] = ["xdg-open", "sensible-browser", "wslview"];
/// What finds no browser says so within this time; what found one may take as long as somebody reads.
const OPENED_WITHIN: Duration = Duration::from_secs(2);

/// Shows a page in the browser of whoever asked for it.
///
/// # Errors
/// When this machine has nothing that opens pages, with the page's path and what was tried.
fn open(page: &Path) -> anyhow::Result<()> {
    let page = std::path::absolute(page).with_context(|| format!("`{}` has no path", page.display()))?;
    let mut tried = Vec::new();
    for opener in OPENERS {
        match Cmd::new(opener).arg(&page).leave(OPENED_WITHIN) {
            Ok(()) => return Ok(()),
            Err(error) => tried.push(format!("{error:#}")),
        }
    }
    bail!("no browser opened the page: open `{}` in one yourself (tried: {})", page.display(), tried.join("; "))
}

fn show_in_readme(workspace: &Workspace, dir: &RunDir) -> anyhow::Result<Exit> {
    let path = workspace.root().join("README.md");
    std::fs::write(&path, readme(workspace, dir)?).with_context(|| format!("can not write `{}`", path.display()))?;
    crate::console::note(format_args!("`{}` shows the run `{}`", path.display(), dir.name()));
    Ok(Exit::Done)
}

impl Reported {
    /// What is said of it: made once for the terminal and the files.
    pub fn document(&self) -> &Document {
        self.document.get_or_init(|| report::sections::document(&self.run))
    }

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
    let claims = results::claims::load(&workspace.claims_toml(), &prepare::selection::defined(workspace)?.cases)?;
    let mut summary = analysis::analyse(&run.manifest, &run.samples, &claims);
    summary.timeline = analysis::timeline(&run.manifest, &run.samples, &run.traces);
    summary.warnings.splice(0..0, analysis::damage(&run.lost));
    summary.first_use = analysis::first_use(&run.manifest, &run.first_use, &run.samples);
    if summary.first_use.is_some() {
        summary.claims = analysis::claim_rows(&claims, &run.manifest, (&run.samples, &run.first_use), &summary);
    }
    let Run { manifest, samples, lost, .. } = run;
    Ok(Reported { run: report::Run { manifest, samples, summary }, lost, document: OnceCell::new() })
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
    report::each_file(&reported.run, reported.document(), &|name, content| {
        dir.stream(name, content).with_context(|| {
            format!(
                "the report could not be kept in `{}`, the files there are as they were before",
                dir.path().display()
            )
        })
    })
}

/// Shows a report on stdout.
pub fn show(reported: &Reported, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => commands::print_json(&reported.run.summary),
        Format::Text => commands::print_document(reported.document()),
    }
}

/// Where a run's page is, to be opened.
pub fn page(dir: &RunDir) -> String {
    let page = dir.path().join("report.html");
    let page = std::path::absolute(&page).unwrap_or(page);
    format!("the page with every sample: {}", page.display())
}

/// The newest of the runs that are recorded with this project and have the whole answer: of its own programs, the one that
/// works and the one that does nothing. Others answer one question each: an example, density, first use, a sweep, pods.
///
/// # Errors
/// When there is none.
pub fn recorded(workspace: &Workspace) -> anyhow::Result<RunDir> {
    let results = workspace.results();
    // One that can not be read is found, and refused by whoever reads it.
    let is_whole = |manifest: Manifest| {
        let has = |role| manifest.bench_for(role).is_some();
        manifest.own_program.is_none() && has(Role::Headline) && has(Role::Canary)
    };
    let newest = RunDir::recorded(&results)?.into_iter().rfind(|run| run.manifest().map_or(true, is_whole));
    newest.with_context(|| format!("there is no recorded run in `{}`", results.join("recorded").display()))
}

/// The README with a recorded run's result between its markers.
///
/// # Errors
/// When the run is not recorded: the README leads to its folder, and other runs are not committed.
pub fn readme(workspace: &Workspace, dir: &RunDir) -> anyhow::Result<String> {
    let path = workspace.root().join("README.md");
    let text = std::fs::read_to_string(&path).with_context(|| format!("can not read `{}`", path.display()))?;
    let folder = workspace.results().join("recorded");
    let own = std::fs::canonicalize(dir.path())?;
    ensure!(
        std::fs::canonicalize(&folder).is_ok_and(|folder| own.parent() == Some(folder.as_path())),
        "`{}` is not in `{}`, and the README leads only to runs that are committed: record it there",
        dir.path().display(),
        folder.display()
    );
    let reported = read(workspace, dir)?;
    ensure!(reported.lost.is_empty(), "the run in `{}` is damaged", dir.path().display());
    let folder = format!("results/recorded/{}", own.file_name().unwrap_or_default().to_string_lossy());
    let origin = Origin { folder: &folder, command: "cargo xtask report --readme" };
    report::markdown::splice(&text, &report::markdown::result_section(&reported.run, origin))
}
