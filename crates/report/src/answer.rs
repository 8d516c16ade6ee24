//! The first screen in words: a headline and three sentences for somebody who knows no statistics and reads nothing else.
//! Each clause is built from a number that is there; what is missing or undecided is said, never filled in. Of two
//! containers that different runtimes start nobody is called faster here: where the native program was measured in the
//! runtime of the modules too, that ratio is the one that is told.
//!
//! Not here: the same with every interval (`findings`), and any judgement (verdicts come with the summary).

use crate::Run;
use crate::number::{NONE, fixed, kb, percent};
use crate::view::{self, Side, Told};
use results::case::{Case, Kind, Mode};
use results::{Comparison, Verdict};

/// How modules are executed, the one that people would ship first.
const MODES: [Mode; 3] = [Mode::Aot, Mode::Jit, Mode::Interpreter];

/// What a Job's own time is not: it follows the kubelet, which looks once a second.
const CALLS: &str = "To have its pod started by Kubernetes (the kubelet's three calls to the container runtime; the time \
                     of a whole Job says nothing of it)";

/// What Wasm costs, in a line.
pub fn headline(run: &Run) -> String {
    let Some(told) = view::told(run) else { return "Nothing was measured".to_owned() };
    let time = container(run, &told).or_else(|| direct(run, &told));
    let Some((time, kind)) = time else {
        return format!("{}: no time of Wasm could be compared with native", told.bench.name);
    };
    match size(run, &told.bench.program, kind) {
        Some(size) => format!("{time}; {size}"),
        None => time,
    }
}

/// In a container, directly and to ship, how far to believe it.
pub fn sentences(run: &Run) -> [String; 3] {
    [in_containers(run), elsewhere(run), trust(run)]
}

const fn words(mode: Mode) -> &'static str {
    match mode {
        Mode::Native => "the native program",
        Mode::Interpreter => "interpreted Wasm",
        Mode::Jit => "Wasm compiled at its start",
        Mode::Aot => "Wasm compiled beforehand",
    }
}

/// The first mode that was compared with native in a container, and in which form it is shipped.
fn container(run: &Run, told: &Told<'_>) -> Option<(String, Kind)> {
    let arm = view::runtimes::control_cases(run).map(|[arm, _]| arm);
    let [what, of] = if told.is_of_calls() { ["To have its pod started", "by"] } else { ["In a container", "of"] };
    MODES.into_iter().find_map(|mode| {
        let case = view::central_case(run, mode, Side::Container)?;
        if let Some(row) = arm.and_then(|arm| told.comparison_of([case, arm])) {
            let text = format!("{what} {of} the same runtime, {} {}", words(mode), than_native(row));
            return Some((text, case.form));
        }
        let row = told.comparison(case)?;
        let across = if row.across_runtimes { format!(" {of} another runtime") } else { String::new() };
        Some((format!("{what}{across}, {} {}", words(mode), than_native(row)), case.form))
    })
}

fn direct(run: &Run, told: &Told<'_>) -> Option<(String, Kind)> {
    MODES.into_iter().find_map(|mode| {
        let case = view::central_case(run, mode, Side::Direct)?;
        let row = told.comparison(case)?;
        Some((format!("Run directly, {} {}", words(mode), than_native(row)), case.form))
    })
}

/// What a comparison with native says, as a predicate.
fn than_native(row: &Comparison) -> String {
    let ratio = view::ratio(row);
    match (row.verdict, row.ci_low.zip(row.ci_high), &ratio.ends) {
        (Verdict::Slower, _, Some((low, high))) if low == high => format!("takes {low} times as long as native"),
        (Verdict::Slower, _, Some((low, high))) => format!("takes {low} to {high} times as long as native"),
        (Verdict::Faster, Some((low, high)), _) => {
            let [least, most] = [1.0 - high, 1.0 - low].map(|less| fixed(less * 100.0, 0));
            format!("takes {least} to {most} % less time than native")
        }
        (Verdict::Same, ..) => "takes as long as native".to_owned(),
        (_, _, Some((low, high))) => {
            format!("takes {low} to {high} times as long as native, which this run can not tell from equal")
        }
        (_, _, None) => format!("took {} times as long as native in too few rounds to be sure", ratio.value),
    }
}

/// How large the image of a form is beside the native one; its file where no image was made.
fn size(run: &Run, program: &str, kind: Kind) -> Option<String> {
    let [ours, native] = [kind, Kind::Native].map(|kind| view::size(run, program, kind));
    let (ours, native) = (ours?, native?);
    let (what, ratio) = match (ours.image_bytes_compressed, native.image_bytes_compressed) {
        (Some(ours), Some(native)) => ("its image", ours as f64 / native as f64),
        _ => ("its file", ours.binary_bytes as f64 / native.binary_bytes as f64),
    };
    Some(match ratio {
        ratio if (0.995..1.005).contains(&ratio) => format!("{what} is as large"),
        ratio if ratio < 1.0 => format!("{what} has {} of the size", percent(ratio)),
        ratio => format!("{what} has {} times the size", fixed(ratio, 1)),
    })
}

/// A median in words; nothing where it was not measured.
fn median(told: &Told<'_>, case: &Case) -> Option<String> {
    let value = view::median_ms(told.case(case)?).value;
    (value != NONE).then(|| format!("{value} ms"))
}

fn list(items: &[String]) -> String {
    view::runtimes::list(&items.iter().map(String::as_str).collect::<Vec<_>>())
}

fn in_containers(run: &Run) -> String {
    let Some(told) = view::told(run) else { return "The run has no bench.".to_owned() };
    let clause = |mode: Mode| {
        let case = view::central_case(run, mode, Side::Container)?;
        Some(format!("{} takes {} with {}", words(mode), median(&told, case)?, case.runtime.title))
    };
    let clauses: Vec<String> = [Mode::Native].into_iter().chain(MODES).filter_map(clause).collect();
    if clauses.is_empty() {
        return format!("No container of {} was measured.", view::spoken(run, told.bench));
    }
    let runtimes = runtimes(run, &told).map_or_else(String::new, |text| format!("; {text}"));
    let what = if told.is_of_calls() { CALLS } else { "In a container" };
    format!("{what}, {}{runtimes}.", list(&clauses))
}

/// What the runtimes have to do with it.
fn runtimes(run: &Run, told: &Told<'_>) -> Option<String> {
    let arm = view::runtimes::control_cases(run).and_then(|[arm, baseline]| Some((arm, baseline, median(told, arm)?)));
    let Some((arm, baseline, time)) = arm else {
        return told.is_across().then(|| {
            "different runtimes start these containers, and how much of the difference is theirs was not measured"
                .to_owned()
        });
    };
    let verdict = told.comparison_of([arm, baseline]).map(|row| row.verdict);
    let so = match verdict {
        Some(Verdict::Faster) => ", so what looks like a fast Wasm container is in part a fast runtime",
        Some(Verdict::Slower) => ", so a part of what Wasm seems to cost is its runtime",
        _ => "",
    };
    Some(format!("the native program takes {time} in {} too{so}", arm.runtime.title))
}

fn elsewhere(run: &Run) -> String {
    let Some(told) = view::told(run) else { return "Nothing was measured.".to_owned() };
    let direct = |mode: Mode| {
        let case = view::central_case(run, mode, Side::Direct)?;
        Some(format!("{} takes {}", words(mode), median(&told, case)?))
    };
    let times: Vec<String> = [Mode::Native].into_iter().chain(MODES).filter_map(direct).collect();
    let pull = |kind: Kind| {
        let bytes = view::size(run, &told.bench.program, kind)?.image_bytes_compressed?;
        let name = match kind {
            Kind::Native => "the native image",
            Kind::Wasm => "the Wasm image",
            Kind::WasmAot => "the one compiled beforehand",
            Kind::Cwasm => "that of a cwasm file",
        };
        Some(format!("{name} {} kB", kb(bytes)))
    };
    // Another engine's compiled file is of the same kind to this reader; its row has the number.
    let kinds = [Kind::Native, Kind::Wasm, Kind::WasmAot];
    let first: Vec<String> = kinds.into_iter().filter_map(pull).collect();
    let sizes = if first.len() < 3 { Kind::ALL.into_iter().filter_map(pull).collect() } else { first };
    let times = if times.is_empty() {
        "Nothing was run directly".to_owned()
    } else {
        format!("Run directly, without a container, {}", list(&times))
    };
    let sizes = if sizes.is_empty() { "no image was made".to_owned() } else { format!("to pull, {}", list(&sizes)) };
    format!("{times}; {sizes}.")
}

fn trust(run: &Run) -> String {
    let machine = &run.manifest.machine;
    let cpus = machine.cpus.map_or_else(String::new, |cpus| format!("{cpus} × "));
    let processor = machine.cpu_model.as_deref().unwrap_or("a processor that does not say its name");
    let twins = view::told(run).into_iter().flat_map(|told| told.resolutions());
    let counts = match twins.filter_map(|row| row.resolution).max_by(f64::total_cmp) {
        Some(resolution) => format!("no difference below {} counts", percent(resolution)),
        None => "how small a difference it can show is not known".to_owned(),
    };
    let mut text = format!(
        "Each time is the middle one of {} runs in mixed order on one machine ({cpus}{processor}): {counts}, and another \
         program or machine may have another answer",
        run.manifest.rounds
    );
    let missing = run.summary.not_measured.iter().filter(|row| row.metric.is_none()).count();
    let beside_good = view::rows(run).filter(|row| !view::is_told_as_not_measured(run, &row.bench, &row.case));
    let failed: usize = beside_good.map(|row| row.failed).sum();
    for (count, one, many) in [
        (missing, "1 row could not be measured", "rows could not be measured"),
        (failed, "1 failed run counts nowhere", "failed runs count nowhere"),
    ] {
        match count {
            0 => {}
            1 => text = format!("{text}; {one}"),
            count => text = format!("{text}; {count} {many}"),
        }
    }
    if let Some(end) = view::unfinished(run) {
        text = format!("{text}; {end}");
    }
    text + "."
}
