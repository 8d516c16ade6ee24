//! The report on a terminal: tables of at most 80 columns, warnings; and last, where a person sees them without
//! scrolling back, the central table and the three sentences.
//!
//! Not here: finding out whether there is a terminal; the caller says so with [`ColourChoice`].

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};

use super::number::{NONE, confidence, percent};
use super::view::{self, Row};
use super::{Run, findings};
use crate::visible::visible;
use results::metric::HEADLINE;
use results::{CaseSummary, Verdict};

/// The widest line.
const WIDTH: u16 = 80;

/// Whether verdicts are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourChoice {
    /// The output is a terminal and `NO_COLOR` is not set.
    Colour,
    /// Anything else.
    Plain,
}

/// The whole report.
pub fn render(run: &Run, colour: ColourChoice) -> String {
    let mut out = String::new();
    head(run, &mut out);
    for bench in view::shown_benches(run) {
        bench_table(run, &bench.name, colour, &mut out);
    }
    for further in view::further(run) {
        let mut table = table();
        table.set_header(view::FURTHER_HEADS);
        table.add_rows(further.rows.iter().map(|row| row.each_ref().map(|cell| visible(cell).into_owned())));
        shape(&mut table, "lrrrl");
        push_table(&mut out, &further.title, &table);
    }
    resolutions(run, &mut out);
    fits(run, &mut out);
    notes(run, &mut out);
    central(run, &mut out);
    for text in &findings::sentences(run) {
        push_wrapped(&mut out, text, ("", ""));
    }
    match run.summary.warnings.len() {
        0 => {}
        1 => out.push_str("1 warning stands above the table.\n"),
        more => push_wrapped(&mut out, &format!("{more} warnings stand above the table."), ("", "")),
    }
    out
}

fn head(run: &Run, out: &mut String) {
    let manifest = &run.manifest;
    let machine = &manifest.machine;
    let cpu = machine.cpu_model.as_deref().unwrap_or("processor not known");
    let cpus = machine.cpus.map_or_else(String::new, |cpus| format!("{cpus} × "));
    let text = format!(
        "{} · {} rounds after {} of warm-up · seed {} · {cpus}{cpu}",
        manifest.run, manifest.rounds, manifest.warmup_rounds, manifest.seed
    );
    push_wrapped(out, &text, ("", "  "));
    out.push('\n');
}

fn table() -> Table {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    table.load_style(presets::NOTHING.header_separator(line).bottom_border(line));
    table.force_no_tty();
    table
}

/// Aligns the columns: `l` left, `r` right, a letter per column; and lets the table take the room that it needs.
fn shape(table: &mut Table, alignment: &str) {
    for (column, letter) in table.column_iter_mut().zip(alignment.chars()) {
        if letter == 'r' {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.set_content_arrangement(ContentArrangement::Disabled);
    for gap in [2, 1] {
        let last = table.column_count().saturating_sub(1);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if index == last { 0 } else { gap }));
        }
        if table.lines().all(|line| line.trim_end().chars().count() <= usize::from(WIDTH)) {
            return;
        }
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
}

fn push_table(out: &mut String, title: &str, table: &Table) {
    push_wrapped(out, title, ("", ""));
    for line in table.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push('\n');
}

fn central(run: &Run, out: &mut String) {
    let Some(bench) = view::headline(run) else { return };
    let mut table = table();
    table.set_header(["", "binary\nkB", "pulled\nimage kB", "unpacked\nimage kB", "direct\nms", "container\nms"]);
    let rows = view::central(run);
    for row in &rows {
        table.add_row(central_row(row));
        // A blank line sets the kinds, of three lines each, apart.
        if row.times.iter().any(|time| time.interval.is_some()) {
            table.add_row([""]);
        }
    }
    shape(&mut table, "lrrrrr");
    let title = if rows.iter().any(|row| row.times.iter().any(|time| time.interval.is_some())) {
        let sure = confidence(view::level(run));
        format!("{}: median, its {sure} interval, ratio to native by round", bench.name)
    } else {
        format!("{}: median, ratio to native", bench.name)
    };
    push_table(out, &title, &table);
    push_note(run, &bench.name, out);
    let sources = view::sources(run);
    if !sources.is_empty() {
        out.pop();
        let text = format!(
            "Published: {}. The image sizes there do not say whether compressed or unpacked.",
            sources.join("; ")
        );
        push_wrapped(out, &text, ("", ""));
        out.push('\n');
    }
}

fn central_row(row: &Row) -> Vec<String> {
    let lines =
        |parts: [Option<&String>; 3]| parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n");
    let mut cells = vec![visible(&row.name).into_owned()];
    cells.extend(row.sizes.iter().map(|size| lines([Some(&size.kb), size.ratio.as_ref(), None])));
    cells.extend(row.times.iter().map(|time| lines([Some(&time.median), time.interval.as_ref(), time.ratio.as_ref()])));
    cells
}

fn bench_table(run: &Run, bench: &str, colour: ColourChoice, out: &mut String) {
    let rows: Vec<&CaseSummary> = view::rows(run).filter(|row| row.bench == bench).collect();
    if rows.is_empty() {
        push_wrapped(out, &format!("{bench}: nothing was measured"), ("", ""));
        out.push('\n');
        return;
    }
    let counts = view::counts(&rows);
    let mut table = table();
    table.set_header(["", "median [low, high]", "ratio to native", "verdict"]);
    for row in rows {
        let comparison = view::comparison(run, bench, &row.case);
        let ratio = comparison.filter(|_| row.n > 0).map_or_else(String::new, view::runtimes::marked_ratio);
        let verdict = match comparison {
            _ if row.n == 0 => "not measured".to_owned(),
            Some(comparison) => view::runtimes::marked_verdict(comparison),
            None => role(run, &row.case).to_owned(),
        };
        table.add_row([&*visible(&row.case), &view::median(row), &ratio, &verdict]);
    }
    shape(&mut table, "lrrl");
    let before = out.len();
    push_table(out, &format!("{bench}: {counts}"), &table);
    if colour == ColourChoice::Colour {
        let painted: String = out[before..].lines().map(|line| paint(line) + "\n").collect();
        out.truncate(before);
        out.push_str(&painted);
    }
    push_note(run, bench, out);
}

/// What the mark of a ratio means, close below the table that bears it.
fn push_note(run: &Run, bench: &str, out: &mut String) {
    if let Some(note) = view::runtimes::note(run, [bench]) {
        out.truncate(out.trim_end_matches('\n').len() + 1);
        push_wrapped(out, &note, ("", "  "));
        out.push('\n');
    }
}

/// What a row without comparison is there for.
fn role(run: &Run, case: &str) -> &'static str {
    match view::cell(run, case) {
        Some(cell) if cell.is_twin() => "A/A twin",
        Some(cell) if cell.case.is_baseline() => "baseline",
        _ => "",
    }
}

/// A line of a bench's table with the verdict at its end coloured; one across two runtimes has a mark there, and no
/// colour. Done after the layout, which counts letters.
fn paint(line: &str) -> String {
    let tints = [(Verdict::Faster, 32), (Verdict::Slower, 31), (Verdict::Undetermined, 33), (Verdict::TooNoisy, 33)];
    for (verdict, tint) in tints {
        if let Some(start) = line.strip_suffix(view::verdict(HEADLINE, verdict)) {
            return format!("{start}\u{1b}[{tint}m{}\u{1b}[0m", view::verdict(HEADLINE, verdict));
        }
    }
    line.to_owned()
}

fn resolutions(run: &Run, out: &mut String) {
    let rows = view::resolutions(run);
    if rows.is_empty() {
        return;
    }
    let mut table = table();
    table.set_header(["", "measured twice", "n", "twin / first", "resolution"]);
    for row in rows {
        table.add_row([
            visible(&row.bench).into_owned(),
            visible(&row.case).into_owned(),
            row.n.to_string(),
            view::twin_ratio(row).times(),
            row.resolution.map_or_else(|| NONE.to_owned(), percent),
        ]);
    }
    shape(&mut table, "llrrr");
    push_table(out, "A/A: what this run can not tell apart", &table);
}

fn fits(run: &Run, out: &mut String) {
    for sweep in view::sweeps(run) {
        let mut table = table();
        table.set_header(["", "a [low, high] ms", "b [low, high] ns per n"]);
        for fit in view::fits(run).filter(|fit| fit.sweep == sweep) {
            let a = view::estimate(fit.a, 1e-6).with_brackets();
            table.add_row([visible(&fit.case).into_owned(), a, view::estimate(fit.b_per_n, 1.0).with_brackets()]);
        }
        shape(&mut table, "lrr");
        push_table(out, &format!("{sweep}: a run takes a + b·n"), &table);
    }
}

fn notes(run: &Run, out: &mut String) {
    let before = out.len();
    for (reason, names) in view::not_measured(run) {
        push_wrapped(out, &format!("not measured: {}: {reason}", names.join(", ")), ("", "  "));
    }
    for (advice, names) in view::undetermined(run) {
        push_wrapped(out, &format!("{advice}: {}", names.join(", ")), ("", "  "));
    }
    for failure in view::failures(run) {
        let runs = if failure.runs == 1 { "1 run" } else { &format!("{} runs", failure.runs) };
        let text = format!("failed: {} {}: {runs}, the first with {}", failure.bench, failure.case, failure.first);
        push_wrapped(out, &text, ("", "  "));
    }
    for warning in &run.summary.warnings {
        push_wrapped(out, &format!("warning: {}; {}", warning.what, warning.advice), ("", "  "));
    }
    if let Some(end) = view::unfinished(run) {
        push_wrapped(out, &format!("warning: {end}; what was measured until then is shown"), ("", "  "));
    }
    if out.len() > before {
        out.push('\n');
    }
}

/// Words in lines of at most [`WIDTH`] characters; `indent` of the first line and of the others. A longer word has a
/// line of its own and stays whole: a path that is broken can not be copied.
pub fn push_wrapped(out: &mut String, text: &str, (first, rest): (&str, &str)) {
    let width = usize::from(WIDTH);
    let text = visible(text);
    out.push_str(first);
    let (mut used, mut empty) = (first.chars().count(), true);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !empty && used + 1 + length > width {
            out.push('\n');
            out.push_str(rest);
            (used, empty) = (rest.chars().count(), true);
        }
        if !empty {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        (used, empty) = (used + length, false);
    }
    out.push('\n');
}
