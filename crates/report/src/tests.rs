//! Tests of the report as a whole, on the runs of `fixture`.

use expect_test::expect_file;

use super::terminal::{self, ColourChoice};
use super::{Run, answer, chart, csv, files, findings, fixture, html, markdown};
use results::{Comparison, Verdict};

mod costs;
mod forms;
mod history;
mod hostile;
mod metrics;
mod page;
mod parts;
mod timeline;

fn runs() -> [(&'static str, Run); 4] {
    [
        ("complete", fixture::complete()),
        ("without-root", fixture::without_root()),
        ("five-rounds", fixture::five_rounds()),
        ("empty", fixture::empty()),
    ]
}

/// Text that Rust prints for what is no number, standing as a word of its own.
fn assert_no_bare_absence(name: &str, text: &str) {
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        assert!(!["NaN", "inf", "null", "None"].contains(&word), "{name} shows `{word}`");
    }
}

#[test]
fn the_terminal_report_fits_eighty_columns() {
    for (name, run) in runs() {
        let text = terminal::render(&run, ColourChoice::Plain);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
        assert_no_bare_absence(name, &text);
        assert!(!text.contains('\u{1b}'), "{name}: no colour unless it is asked for");
    }
}

#[test]
fn long_names_and_reasons_still_fit_eighty_columns() {
    let mut run = fixture::complete();
    for row in &mut run.summary.cases {
        row.case = row.case.replace("process", "process-with-a-name-that-is-much-too-long-for-any-table");
    }
    run.summary.not_measured[0].reason = "a long reason ".repeat(20);
    for line in terminal::render(&run, ColourChoice::Plain).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// A path that is broken in the middle can not be copied.
#[test]
fn a_path_stays_whole_on_the_terminal() {
    let path = format!("`/home/{}/log`", "folder/".repeat(20));
    let mut run = fixture::complete();
    run.summary.not_measured[0].reason = format!("containerd did not start: see {path} for why");
    let text = terminal::render(&run, ColourChoice::Plain);
    assert!(text.lines().any(|line| line.trim() == path), "{text}");
}

/// What a person has to see without scrolling on, on a screen of 48 lines.
#[test]
fn the_first_screen_has_the_sentences_and_the_central_table() {
    let run = fixture::complete();
    let text = terminal::render(&run, ColourChoice::Plain);
    let lines: Vec<&str> = text.lines().collect();
    let screen = lines[..47].join("\n");
    assert!(lines.len() > 60 && screen.contains("wasm published"), "{screen}");
    for sentence in answer::sentences(&run).into_iter().chain([answer::headline(&run)]) {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&screen).contains(&words(&sentence)), "{screen}");
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let run = fixture::complete();
    let coloured = terminal::render(&run, ColourChoice::Colour);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, terminal::render(&run, ColourChoice::Plain));
}

#[test]
fn a_row_without_a_sample_is_not_measured_and_compared_with_nothing() {
    let mut run = fixture::complete();
    let gone = |case: &str| case == "wasm-aot/wasmedge";
    run.samples.retain(|sample| !gone(&sample.case));
    for row in run.summary.cases.iter_mut().filter(|row| gone(&row.case)) {
        (row.n, row.median, row.ci_low, row.ci_high) = (0, None, None, None);
    }
    for row in run.summary.comparisons.iter_mut().filter(|row| gone(&row.case)) {
        (row.n, row.ratio, row.ci_low, row.ci_high) = (0, None, None, None);
        (row.verdict, row.more_rounds) = (Verdict::Undetermined, Some(6));
    }
    let text = terminal::render(&run, ColourChoice::Plain);
    assert!(text.contains("not measured") && !text.contains("undetermined"), "{text}");
    let [_, times, _] = findings::sentences(&run);
    assert!(
        times.starts_with("For array-sum, in a container and across two runtimes, the interpreter took"),
        "{times}"
    );
    assert!(!times.contains("more rounds") && !times.contains("no pair"), "{times}");
}

#[test]
fn terminal_of_a_complete_run() {
    expect_file!["snapshots/complete.txt"].assert_eq(&terminal::render(&fixture::complete(), ColourChoice::Plain));
}

#[test]
fn terminal_without_container_rows() {
    expect_file!["snapshots/without-root.txt"]
        .assert_eq(&terminal::render(&fixture::without_root(), ColourChoice::Plain));
}

#[test]
fn terminal_of_five_rounds_has_no_intervals() {
    expect_file!["snapshots/five-rounds.txt"]
        .assert_eq(&terminal::render(&fixture::five_rounds(), ColourChoice::Plain));
}

#[test]
fn terminal_of_a_run_without_a_sample() {
    expect_file!["snapshots/empty.txt"].assert_eq(&terminal::render(&fixture::empty(), ColourChoice::Plain));
}

#[test]
fn markdown_of_a_complete_run() {
    let run = fixture::complete();
    expect_file!["snapshots/readme.md"].assert_eq(&markdown::readme(&run));
    expect_file!["snapshots/pull-request.md"]
        .assert_eq(&markdown::pull_request(&run, &crate::sections::document(&run)));
    let origin = markdown::Origin { folder: "results/recorded/example", command: "cargo xtask report --splice" };
    expect_file!["snapshots/result-section.md"].assert_eq(&markdown::result_section(&run, origin));
}

#[test]
fn markdown_tables_have_as_many_cells_in_every_row() {
    for (name, run) in runs() {
        let text = markdown::readme(&run);
        assert_no_bare_absence(name, &text);
        let mut columns = None;
        for line in text.lines() {
            let cells = line.replace("\\|", "").matches('|').count();
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            assert_eq!(*columns.get_or_insert(cells), cells, "{name}: {line}");
        }
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for (name, run) in runs() {
        assert_eq!(files(&run).unwrap(), files(&run.clone()).unwrap(), "{name}");
    }
}

/// Containers of native programs and of modules are made by different runtimes.
#[test]
fn the_control_arm_tells_the_runtimes_part_and_its_absence_is_told() {
    let mut run = fixture::complete();
    let of_aot = |row: &&mut Comparison| {
        (row.bench.as_str(), row.case.as_str(), row.baseline.as_str())
            == ("array-sum", "wasm-aot/wasmedge", "native/runc")
    };
    let aot = run.summary.comparisons.iter_mut().find(of_aot).unwrap();
    (aot.ratio, aot.ci_low, aot.ci_high) = (Some(0.74), Some(0.71), Some(0.77));
    aot.verdict = Verdict::Faster;
    let mut arm = aot.clone();
    run.summary.comparisons.retain(|row| row.case != "native/wasmedge");
    let without = &findings::sentences(&run)[1];
    assert!(without.contains("`--case native/wasmedge`"), "{without}");
    "native/wasmedge".clone_into(&mut arm.case);
    (arm.ratio, arm.ci_low, arm.ci_high) = (Some(0.66), Some(0.63), Some(0.70));
    run.summary.comparisons.push(arm);
    run.manifest.cells.push(fixture::manifest::cell("native/wasmedge"));
    let with = &findings::sentences(&run)[1];
    assert!(with.contains("0.63 to 0.70") && with.contains("the runtime's part"), "{with}");
}

/// A form of the report by name, and its text.
fn forms(run: &Run) -> Vec<(String, String)> {
    let mut forms = vec![("terminal".to_owned(), terminal::render(run, ColourChoice::Colour))];
    for (name, bytes) in files(run).unwrap() {
        if ["README.md", "report.html", "exports/pull-request.md", "result.svg"].contains(&name.as_str()) {
            forms.push((name, String::from_utf8(bytes).unwrap()));
        }
    }
    forms
}

/// A Wasm container was called "faster", in green and without a word on the runtimes, when the headline bench was not
/// in the run.
#[test]
fn a_ratio_across_two_runtimes_is_marked_wherever_it_stands() {
    for benches in [vec!["array-sum", "noop"], vec!["noop"]] {
        let mut run = fixture::complete();
        run.manifest.benches.retain(|bench| benches.contains(&bench.name.as_str()));
        let rows = &mut run.summary.comparisons;
        rows.retain(|row| benches.contains(&row.bench.as_str()));
        rows.iter_mut().filter(|row| row.across_runtimes).for_each(|row| row.verdict = Verdict::Faster);
        let across: Vec<&Comparison> = run.summary.comparisons.iter().filter(|row| row.across_runtimes).collect();
        assert!(across.len() >= benches.len(), "{across:?}");
        for (name, text) in forms(&run) {
            for row in across.iter().filter(|row| row.ratio.is_some()) {
                let ratio = super::view::ratio(row).times();
                let places: Vec<&str> = text.split(&ratio).skip(1).collect();
                let shows_all = name != "result.svg" && name != "exports/pull-request.md";
                assert!(!places.is_empty() || !shows_all, "{name} has no {ratio}");
                assert!(places.iter().all(|after| after.starts_with('†')), "{name} has {ratio} without the mark");
            }
            let told = if name == "result.svg" { "across two runtimes" } else { "Across two runtimes" };
            assert!(text.contains(told), "{name} does not say what the mark means");
            assert!(!text.contains("\u{1b}[32m"), "{name} is green");
        }
        let value = serde_json::to_value(&run.summary).unwrap();
        let rows = value["comparisons"].as_array().unwrap();
        assert_eq!(rows.iter().filter(|row| row["across_runtimes"] == true).count(), across.len());
        let table = csv::comparisons(&run).unwrap();
        assert_eq!(table.lines().filter(|line| line.ends_with(",true")).count(), across.len());
    }
}

/// Another image of the same program has its row among the images: in the central table it would have another's name.
#[test]
fn rows_of_the_central_table_have_names_of_their_own_whatever_images_there_are() {
    let mut run = fixture::complete();
    let usual = run.manifest.cells.iter().find(|cell| cell.name == "native/runc").unwrap().clone();
    let mut row = run.summary.cases.iter().find(|row| row.case == usual.name).unwrap().clone();
    let mut cell = usual;
    for name in [&mut cell.name, &mut cell.case.name, &mut row.case] {
        "native-zstd/runc".clone_into(name);
    }
    cell.case.image = Some("native-zstd".to_owned());
    run.manifest.cells.push(cell);
    run.summary.cases.push(row);
    let names: Vec<String> = super::view::central(&run).into_iter().map(|row| row.name).collect();
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    assert!(terminal::render(&run, ColourChoice::Plain).contains("native-zstd"));
}

/// What the runtimes cost stands beside what they are mixed with, and modules beside the native image in their shim.
#[test]
fn the_control_arm_has_a_row_in_the_central_table() {
    let mut run = fixture::complete();
    assert!(!super::view::central(&run).iter().any(|row| row.name == "native, in wasmedge"));
    let arm = "native/wasmedge";
    let of_sum = |bench: &str, case: &str, name: &str| bench == "array-sum" && case == name;
    let mut row = run.summary.cases.iter().find(|row| of_sum(&row.bench, &row.case, "native/runc")).unwrap().clone();
    arm.clone_into(&mut row.case);
    run.manifest.cells.insert(5, fixture::manifest::cell(arm));
    run.summary.cases.push(row);
    let is_aot = |row: &&Comparison| of_sum(&row.bench, &row.case, "wasm-aot/wasmedge") && row.across_runtimes;
    let row = run.summary.comparisons.iter().find(is_aot).unwrap().clone();
    let over_arm = Comparison { baseline: arm.to_owned(), across_runtimes: false, ..row.clone() };
    run.summary.comparisons.extend([over_arm, Comparison { case: arm.to_owned(), ..row }]);
    let rows = super::view::central(&run);
    assert_eq!(rows[1].name, "native, in wasmedge");
    assert_eq!(rows[1].times[1].ratio.as_deref(), Some("1.13× to 1.17×†"));
    let times = &findings::sentences(&run)[1];
    assert!(times.contains("within the WasmEdge shim, code compiled ahead of time took 1.13 to 1.17"), "{times}");
    let text = terminal::render(&run, ColourChoice::Plain);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("takes 1.13× to 1.17× as long on"), "{text}");
}

/// Its warnings stated a resolution while its sentences said that there is none, and its headline did not say its size.
#[test]
fn a_run_of_a_sweep_alone_says_which_size_its_headline_is_and_what_it_resolves() {
    let mut run = fixture::complete();
    run.manifest.benches.retain(|bench| bench.sweep.is_some());
    run.summary.cases.retain(|row| row.bench.contains('/'));
    run.summary.comparisons.iter_mut().filter(|row| row.bench == "noop").for_each(|row| {
        "array-sum-sizes/1000".clone_into(&mut row.bench);
    });
    run.summary.resolutions.retain(|row| row.bench == "noop");
    run.summary.resolutions.iter_mut().for_each(|row| "array-sum-sizes/1000".clone_into(&mut row.bench));
    let [_, times, trust] = findings::sentences(&run);
    assert!(times.starts_with("For n = 1000 of array-sum-sizes, the smallest of 4 sizes, in a container"), "{times}");
    assert!(trust.contains("the A/A row") || trust.contains("The A/A row"), "{trust}");
    let text = terminal::render(&run, ColourChoice::Plain);
    assert!(text.contains("A/A rows: what this run can not tell apart"), "{text}");
    assert!(!html::render(&run).contains("No ratio to native is in this run"));
}

/// Every public field of the stored structs, read from their source.
fn stored_fields() -> Vec<&'static str> {
    let sources = [
        include_str!("../../samples/src/lib.rs"),
        include_str!("../../results/src/manifest.rs"),
        include_str!("../../results/src/summary.rs"),
    ];
    let fields = sources.into_iter().flat_map(str::lines).filter_map(|line| {
        let (name, _) = line.strip_prefix("    pub ")?.split_once(": ")?;
        (!name.contains(' ')).then_some(name)
    });
    fields.collect()
}

#[test]
fn every_stored_field_and_column_is_documented() {
    let document = include_str!("../../../results/README.md");
    let fields = stored_fields();
    assert!(fields.len() > 100, "the struct fields were not found: {fields:?}");
    let columns = csv::SUMMARY_COLUMNS.iter().chain(&csv::SAMPLE_COLUMNS);
    for field in fields.iter().chain(columns) {
        assert!(document.contains(&format!("`{field}`")), "results/README.md does not mention `{field}`");
    }
    for (name, _) in files(&fixture::complete()).unwrap() {
        let name = if name.contains("array-sum-sizes") { "exports/hyperfine-<sweep>-<case>.json" } else { &name };
        assert!(document.contains(&format!("`{name}`")), "results/README.md does not mention `{name}`");
    }
}

/// The report of 10,000 samples has to be rebuilt in under 2 s with the dev profile; the limit here leaves room for a
/// machine that is busy with other tests.
#[test]
#[expect(clippy::disallowed_methods, reason = "what is measured is this program, not a case")]
fn ten_thousand_samples_are_reported_quickly_and_the_figures_say_that_dots_were_left_out() {
    let run = fixture::large(10_000);
    assert!(run.samples.len() >= 10_000);
    let start = std::time::Instant::now();
    let files = files(&run).unwrap();
    let took = start.elapsed();
    println!("report of {} samples: {took:?}", run.samples.len());
    assert!(took.as_secs() < 10, "{took:?}");
    let page = text(&files, "report.html");
    println!("report.html: {} bytes", page.len());
    let (dots, runs) = (chart::times::dots(&run), chart::sequence::dots(&run));
    assert!(dots < 200 && runs < 200, "all cells share them");
    assert!(page.contains(&format!("Of each cell {dots} dots are drawn")));
    assert!(page.contains(&format!("Of each cell {runs} runs are drawn")));
    assert!(page.len() < 1_000_000 && !html::render(&fixture::complete()).contains("dots are drawn"));
}

fn text<'a>(files: &'a [(String, Vec<u8>)], name: &str) -> &'a str {
    let (_, bytes) = files.iter().find(|(file, _)| *file == name).unwrap();
    std::str::from_utf8(bytes).unwrap()
}

/// For looking at: writes every file of every fixture below the folder that `REPORT_FIXTURE_DIR` names.
#[test]
fn the_fixtures_can_be_written_out_to_be_looked_at() {
    let Ok(folder) = std::env::var("REPORT_FIXTURE_DIR") else { return };
    for (name, run) in runs().into_iter().chain([("large", fixture::large(10_000))]) {
        for (file, bytes) in files(&run).unwrap() {
            let path = std::path::Path::new(&folder).join(name).join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
}
