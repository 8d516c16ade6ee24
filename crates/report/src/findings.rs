//! The three sentences: what was found about size, about time, and how far to believe it. Each clause is built
//! from a number that is there; what is missing or undecided is said, never filled in.
//!
//! Not here: any judgement. Verdicts come from the summary.

use super::number::{NONE, confidence, kb, percent, size_ratio};
use super::view::{self, Side};
use super::{Run, push};
use results::case::{Case, Kind, Mode};
use results::{Comparison, Verdict};

mod parts;

/// How modules are executed.
const MODULES: [Mode; 3] = [Mode::Interpreter, Mode::Jit, Mode::Aot];

/// Size, time, and how sure; in that order.
pub fn sentences(run: &Run) -> [String; 3] {
    [sizes(run), times(run), trust(run)]
}

/// The same as points: each clause about time is one, because together they are a wall of text.
pub fn points(run: &Run) -> Vec<String> {
    let [sizes, times, trust] = sentences(run);
    // A name keeps its letters: `runc` begins no sentence as another word.
    let titles = || run.manifest.cells.iter().map(|cell| cell.case.runtime.title.as_str());
    let is_name =
        |clause: &str| titles().any(|title| !title.is_empty() && !title.contains(' ') && clause.starts_with(title));
    let point = |clause: &str| if is_name(clause) { format!("{clause}.") } else { sentence(clause) };
    let times = times.trim_end_matches('.').split("; ").map(point);
    std::iter::once(sizes).chain(times).chain([trust]).collect()
}

/// Clauses as a sentence: first letter large, a full stop at the end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map_or_else(String::new, |letter| letter.to_uppercase().to_string());
    format!("{first}{}.", letters.as_str())
}

fn list(items: &[String]) -> String {
    view::runtimes::list(&items.iter().map(String::as_str).collect::<Vec<_>>())
}

fn sizes(run: &Run) -> String {
    let Some(bench) = view::headline(run) else { return sentence("the run has no bench") };
    let Some(native) = view::size(run, &bench.program, Kind::Native) else {
        return sentence(&format!("the native size of {} is not in this run", bench.program));
    };
    let subjects = [
        (Kind::Wasm, format!("as a Wasm module {} is", bench.program)),
        (Kind::WasmAot, "compiled ahead of time it is".to_owned()),
        (Kind::Cwasm, "as a cwasm file it is".to_owned()),
    ];
    let mut clauses = Vec::new();
    for (kind, subject) in subjects {
        let Some(row) = view::size(run, &bench.program, kind) else { continue };
        let ratio = size_ratio(row.binary_bytes as f64 / native.binary_bytes as f64);
        let mut clause = format!("{subject} {} kB ({ratio} native)", kb(row.binary_bytes));
        if let (Some(ours), Some(theirs)) = (row.image_bytes_compressed, native.image_bytes_compressed) {
            let ratio = size_ratio(ours as f64 / theirs as f64);
            push(&mut clause, format_args!(" with an image of {} kB to pull ({ratio})", kb(ours)));
        }
        clauses.push(clause);
    }
    if clauses.is_empty() {
        clauses.push(format!("only the native size of {} is in this run", bench.program));
    }
    sentence(&clauses.join("; "))
}

fn times(run: &Run) -> String {
    let Some(bench) = view::headline(run) else { return sentence("nothing was measured") };
    let mut sides = Vec::new();
    let mut shown: Vec<&Comparison> = Vec::new();
    for side in [Side::Container, Side::Direct] {
        let rows: Vec<(String, &Comparison)> = MODULES
            .into_iter()
            .filter_map(|mode| {
                let case = view::central_case(run, mode, side)?;
                Some((view::mode_words(run, mode), view::comparison(run, &bench.name, &case.name)?))
            })
            .collect();
        if rows.is_empty() {
            sides.push(format!("{} there is no comparison with native", side.title()));
        } else {
            let clauses: Vec<String> = rows.iter().map(|(words, row)| format!("{words} {}", clause(row))).collect();
            let across = if rows.iter().any(|(_, row)| row.across_runtimes) { " and across two runtimes" } else { "" };
            sides.push(format!("{}{across}, {}", side.title(), list(&clauses)));
        }
        shown.extend(rows.into_iter().map(|(_, row)| row));
    }
    if view::plain_benches(run).count() > 1 || bench.sweep.is_some() {
        sides[0] = format!("for {}, {}", view::spoken(run, bench), sides[0]);
    }
    sides.extend(runtime(run, &bench.name));
    let largest = view::timeline::largest_of_containers(run, &bench.name);
    if !largest.is_empty() {
        sides.push(format!("in traced runs the largest part is {}", list(&largest)));
    }
    if let Some(row) = shown.iter().find(|row| row.ratio.is_some() && row.ci_low.is_none()) {
        let needed = row.more_rounds.map_or_else(String::new, |more| format!(": it takes {}", row.n + more as usize));
        sides.push(format!("a ratio without interval comes from too few rounds{needed}"));
    }
    sentence(&sides.join("; "))
}

/// What the control arm says: native and Wasm containers are made by different runtimes, and a part of their ratio is
/// the runtimes'. Without the arm, every ratio across the two asks for it.
fn runtime(run: &Run, bench: &str) -> Option<String> {
    if let Some(([arm, baseline], Some((low, high)))) =
        view::runtimes::control_arm(run, bench).map(|(cases, ratio)| (cases, ratio.ends))
    {
        let mut text = format!(
            "native in {} took {low} to {high} times as long as with {}, which is the runtime's part and not the \
             engine's",
            arm.runtime.title, baseline.runtime.title
        );
        let parts = parts::clauses(run, bench, &MODULES);
        let within = if parts.is_empty() { within(run, bench, arm) } else { Some(parts.join("; ")) };
        if let Some(within) = within {
            push(&mut text, format_args!("; {within}"));
        }
        return Some(text);
    }
    let titles = view::runtimes::titles(run, &[bench]);
    let advice = view::runtimes::advice(run).filter(|_| titles.len() > 1)?;
    let mut text = format!(
        "{} are different runtimes, and {advice} the runtime's part from the engine's",
        view::runtimes::list(&titles)
    );
    for clause in parts::clauses(run, bench, &MODULES) {
        push(&mut text, format_args!("; {clause}"));
    }
    Some(text)
}

/// The modules against the native image in the same runtime: the engine's part alone.
fn within(run: &Run, bench: &str, arm: &Case) -> Option<String> {
    let clauses: Vec<String> = MODULES
        .into_iter()
        .filter_map(|mode| {
            let case = view::central_case(run, mode, Side::Container)?;
            let row = view::comparison_of(run, bench, [case, arm])?;
            Some(format!("{} {}", view::mode_words(run, mode), clause(row)))
        })
        .collect();
    (!clauses.is_empty()).then(|| format!("within {}, {}", arm.runtime.title, list(&clauses)))
}

/// What one comparison says, as a predicate.
fn clause(row: &Comparison) -> String {
    let ratio = view::ratio(row);
    let margin = percent(row.delta);
    match (row.verdict, &ratio.ends) {
        (Verdict::Slower | Verdict::Faster, Some((low, high))) => {
            format!("took {low} to {high} times as long as native")
        }
        (Verdict::Same, Some(_)) => format!("took as long as native within {margin} ({})", ratio.times()),
        (Verdict::Undetermined, Some(_)) => {
            format!("can not be told from native at a margin of {margin} ({})", ratio.times())
        }
        (Verdict::TooNoisy, Some(_)) => {
            format!("can not be told from native by a run that leaves {margin} open ({})", ratio.times())
        }
        (_, None) if ratio.value == NONE => "has no pair of samples to compare".to_owned(),
        (_, None) => format!("took {} times as long as native in the median (no interval)", ratio.value),
    }
}

fn trust(run: &Run) -> String {
    let mut parts = Vec::new();
    let bench = view::headline(run).map_or("", |bench| bench.name.as_str());
    let widest = view::resolutions(run)
        .into_iter()
        .filter(|row| row.bench == bench)
        .filter_map(|row| Some((row.resolution?, row.confidence?, row)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    parts.push(match widest {
        Some((resolution, sure, row)) => format!(
            "the A/A row ({} of {} measured twice) leaves up to {} open at {} confidence, so no smaller difference counts",
            row.case,
            row.bench,
            percent(resolution),
            confidence(sure)
        ),
        None => "no cell measured twice gives an interval here, so the resolution of this run is unknown".to_owned(),
    });
    let missing = run.summary.not_measured.iter().filter(|row| row.metric.is_none()).count();
    if missing > 0 {
        let rows = if missing == 1 { "1 row" } else { &format!("{missing} rows") };
        parts.push(format!("{rows} could not be measured"));
    }
    let failed: usize = view::rows(run).map(|row| row.failed).sum();
    if failed > 0 {
        let runs = if failed == 1 { "1 failed run counts" } else { &format!("{failed} failed runs count") };
        parts.push(format!("{runs} nowhere"));
    }
    if let Some(end) = view::unfinished(run) {
        parts.push(end.to_owned());
    }
    sentence(&parts.join("; "))
}
