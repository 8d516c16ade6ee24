//! The sections on bytes, break-even and first use, on a run that has all three.

use super::assert_no_bare_absence;
use crate::terminal::{self, ColourChoice};
use crate::{Run, fixture, html, markdown};
use results::Outcome;
use results::analysis::{analyse, first_use};
use results::first_use::{Class, FirstUseSample, Link, PULL, ROUND_TRIPS, RUN, TRANSFERRED, WALL};
use results::ledger::ledger;
use results::node::{NodeFile, NodeNeeds, NodePart, NodeRecord, StoredBytes};

/// Ten rounds of each class, and of a link, with times that rise a little.
fn lines() -> Vec<FirstUseSample> {
    let link = Some(Link { mbit_per_s: 10, round_trip_ms: 20 });
    let kinds = [
        (Class::Warm, None, 0),
        (Class::ColdCache, None, 0),
        (Class::NotPulled, None, 50),
        (Class::NotPulled, link, 280),
    ];
    let mut lines = Vec::new();
    for round in 0..10_u32 {
        for (class, link, pull_ms) in kinds {
            let run = 1_000_000 * (100 + u64::from(round) + if class == Class::ColdCache { 120 } else { 0 });
            let pull = pull_ms * 1_000_000;
            let mut values = vec![(WALL, pull + run), (RUN, run)];
            if pull > 0 {
                values.push((PULL, pull));
            }
            if link.is_some() {
                values.extend([(TRANSFERRED, 208_312), (ROUND_TRIPS, 4)]);
            }
            lines.push(FirstUseSample {
                bench: "array-sum".to_owned(),
                case: "native/runc".to_owned(),
                class,
                link,
                round,
                position: 0,
                values: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                outcome: Outcome::Ok,
                reason: None,
                output_sha256: None,
            });
        }
    }
    lines
}

fn complete() -> Run {
    let mut run = fixture::complete();
    let file =
        |name: &str, part| NodeFile { name: name.to_owned(), part, size_bytes: 40_000_000, disk_bytes: 40_001_536 };
    run.manifest.node = Some(NodeRecord {
        files: vec![file("containerd", NodePart::Containerd), file("libLLVM", NodePart::Compiler)],
        needs: ["native/runc", "wasm-aot/process"]
            .map(|case| NodeNeeds { case: case.to_owned(), files: vec!["containerd".to_owned(), "libLLVM".to_owned()] })
            .to_vec(),
    });
    for image in &mut run.manifest.images {
        image.stored = Some(StoredBytes { content_bytes: 212_992, snapshot_bytes: 430_080 });
    }
    run.summary.ledger = Some(ledger(&run.manifest));
    run.summary.break_even = analyse(&run.manifest, &run.samples, &[]).break_even;
    run.summary.first_use = first_use(&run.manifest, &lines(), &run.samples);
    run
}

#[test]
fn every_form_has_the_three_sections_and_nothing_that_is_no_number() {
    let run = complete();
    let forms = [
        ("terminal", terminal::render(&run, ColourChoice::Plain)),
        ("markdown", markdown::readme(&run)),
        ("page", html::render(&run)),
    ];
    for (form, text) in &forms {
        for heading in ["From which size on", "First use"] {
            assert!(text.contains(heading), "{form} has no `{heading}`");
        }
        assert!(text.contains("cold-cache") && text.contains("10 Mbit/s, 20 ms"), "{form}");
        assert_no_bare_absence(form, text);
    }
    for line in forms[0].1.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(forms[1].1.contains("Where the bytes go") && forms[2].1.contains("Where the bytes go"));
    assert!(forms[2].1.contains("break-even-0-"), "the page has no chart with bands");
}

#[test]
fn a_sentence_of_break_even_is_in_every_form() {
    let run = complete();
    let found = run.summary.break_even.as_ref().unwrap();
    let row = found.pairs.iter().find(|row| row.case == "wasm-interpreter/wasmedge").unwrap();
    assert!(row.sentence().contains("`native/runc`"), "{}", row.sentence());
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&markdown::readme(&run)).contains(&words(&row.sentence())));
}
