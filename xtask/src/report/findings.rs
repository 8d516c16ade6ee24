//! The three sentences: what was found about size, about time, and how far to believe it. Each clause is built
//! from a number that is there; what is missing or undecided is said, never filled in.
//!
//! Not here: any judgement. Verdicts come from the summary.

use super::number::{NONE, confidence, kb, percent, size_ratio};
use super::view::{self, Side};
use super::{Run, push};
use crate::case::{Kind, Mode};
use crate::results::{Comparison, Verdict};

/// Size, time, and how sure; in that order.
pub fn sentences(run: &Run) -> [String; 3] {
    [sizes(run), times(run), trust(run)]
}

/// Clauses as a sentence: first letter large, a full stop at the end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map_or_else(String::new, |letter| letter.to_uppercase().to_string());
    format!("{first}{}.", letters.as_str())
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn sizes(run: &Run) -> String {
    let Some(bench) = view::headline(run) else { return sentence("the run has no bench") };
    let Some(native) = view::size(run, &bench.program, Kind::Native) else {
        return sentence(&format!("the native size of {} is not in this run", bench.program));
    };
    let subjects = [
        (Kind::Wasm, format!("as a Wasm module {} is", bench.program)),
        (Kind::WasmAot, "compiled ahead of time it is".to_owned()),
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
        let rows: Vec<(&str, &Comparison)> =
            [(Mode::Interpreter, "the interpreter"), (Mode::Aot, "code compiled ahead of time")]
                .into_iter()
                .filter_map(|(mode, words)| {
                    Some((words, view::comparison(run, &bench.name, &view::central_case(mode, side))?))
                })
                .collect();
        if rows.is_empty() {
            sides.push(format!("{} there is no comparison with native", side.title()));
        } else {
            let clauses: Vec<String> = rows.iter().map(|(words, row)| format!("{words} {}", clause(row))).collect();
            sides.push(format!("{}, {}", side.title(), list(&clauses)));
        }
        shown.extend(rows.into_iter().map(|(_, row)| row));
    }
    if view::plain_benches(run).count() > 1 {
        sides[0] = format!("for {}, {}", bench.name, sides[0]);
    }
    sides.extend(runtime(run, &bench.name));
    if shown.iter().any(|row| row.ratio.is_some() && row.ci_low.is_none()) {
        let more = shown.iter().filter(|row| row.ci_low.is_none()).filter_map(|row| row.more_rounds).max();
        sides.push(format!("a ratio without interval comes from too few rounds{}", advice(more)));
    }
    sentence(&sides.join("; "))
}

/// What the control arm says: native and Wasm containers are made by different runtimes, and a part of their ratio is
/// the runtimes'. Without the arm, a Wasm container that is faster than a native one asks for it.
fn runtime(run: &Run, bench: &str) -> Option<String> {
    if let Some(row) = view::comparison(run, bench, "native/wasmedge") {
        let (low, high) = view::ratio(row).ends?;
        return Some(format!(
            "native in a container of the same shim took {low} to {high} times as long as with runc, which is the \
             runtime's part and not the engine's"
        ));
    }
    let aot = view::comparison(run, bench, &view::central_case(Mode::Aot, Side::Container))?;
    (aot.verdict == Verdict::Faster).then(|| {
        "runc and the WasmEdge shim are different runtimes, and `--case native/wasmedge` would tell the runtime's part \
         from the engine's"
            .to_owned()
    })
}

/// How many more rounds are needed, when that is known.
fn advice(more: Option<u32>) -> String {
    match more {
        Some(1) => ", and about 1 more round is needed".to_owned(),
        Some(rounds) => format!(", and about {rounds} more rounds are needed"),
        None => String::new(),
    }
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
            let more = advice(row.more_rounds);
            format!("can not be told from native at a margin of {margin} ({}{more})", ratio.times())
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
    let missing = run.summary.not_measured.len();
    if missing > 0 {
        let rows = if missing == 1 { "1 row" } else { &format!("{missing} rows") };
        parts.push(format!("{rows} could not be measured"));
    }
    let failed: usize = run.summary.cases.iter().map(|row| row.failed).sum();
    if failed > 0 {
        let runs = if failed == 1 { "1 failed run counts" } else { &format!("{failed} failed runs count") };
        parts.push(format!("{runs} nowhere"));
    }
    if let Some(end) = view::unfinished(run) {
        parts.push(end.to_owned());
    }
    sentence(&parts.join("; "))
}
