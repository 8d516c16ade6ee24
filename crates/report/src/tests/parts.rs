//! What a difference is made of, and what isolates less, in words and in every form.

use super::super::terminal::{self, ColourChoice};
use super::super::{Run, findings, fixture, html, markdown};
use results::isolation::IsolationDifference;
use results::{Attribution, AttributionPart, Estimate, PartOfTime};

fn part(part: PartOfTime, ms: Option<[f64; 3]>, unknown: Option<&str>) -> AttributionPart {
    let difference = ms.map(|[low, value, high]| Estimate { value: value * 1e6, low: low * 1e6, high: high * 1e6 });
    AttributionPart { part, n: 30, difference, unknown: unknown.map(str::to_owned) }
}

fn attribution(case: &str, parts: Vec<AttributionPart>) -> Attribution {
    Attribution {
        bench: "array-sum".to_owned(),
        case: case.to_owned(),
        metric: "wall_ns".to_owned(),
        baseline: "native/runc".to_owned(),
        control: None,
        canary: None,
        n: 30,
        difference: Some(Estimate { value: -40e6, low: -45e6, high: -35e6 }),
        parts,
        method: String::new(),
    }
}

/// A part of each kind, and one that is not known.
fn run() -> Run {
    let mut run = fixture::complete();
    let known = |low: f64, high: f64| Some([low, f64::midpoint(low, high), high]);
    let parts = |execution| {
        vec![
            part(PartOfTime::Runtime, known(-60.0, -50.0), None),
            part(PartOfTime::EngineStart, known(3.0, 5.0), None),
            execution,
        ]
    };
    let unknown = part(PartOfTime::Execution, None, Some("`noop` was not in the run"));
    run.summary.attributions = vec![
        attribution("wasm-aot/wasmedge", parts(part(PartOfTime::Execution, known(0.5, 1.5), None))),
        attribution("wasm-interpreter/wasmedge", parts(unknown)),
    ];
    run.summary.isolation = vec![IsolationDifference {
        case: "wasm-aot/wasmedge".to_owned(),
        baseline: "native/runc".to_owned(),
        less: vec!["no seccomp filter".to_owned()],
        more: vec!["masked path /proc".to_owned()],
        other: vec!["option --fast instead of none".to_owned()],
    }];
    run
}

#[test]
fn the_sentence_on_time_says_whose_each_part_is_and_what_is_not_known() {
    let [_, time, _] = findings::sentences(&run());
    assert!(
        time.contains(
            "of what code compiled ahead of time takes beyond native in a container, -60 to -50 ms are the runtime's, 3.0 to 5.0 ms \
             are the engine's start and 0.50 to 1.5 ms are execution"
        ),
        "{time}"
    );
    assert!(time.contains("how much is execution is not known (`noop` was not in the run)"), "{time}");
}

#[test]
fn every_form_has_the_parts_and_what_isolates_less_beside_the_ratio() {
    let run = run();
    let forms = [terminal::render(&run, ColourChoice::Plain), markdown::readme(&run), html::render(&run)];
    for form in forms {
        for words in ["not known", "was not in the run", "does less: no seccomp filter", "does more: masked path /proc"]
        {
            let unwrapped = form.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(unwrapped.contains(words), "{words}: {form}");
        }
    }
}
