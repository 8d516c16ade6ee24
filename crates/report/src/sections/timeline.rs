//! Where the time of a run goes: phases of traced runs, drawn on one axis, as a table, and as text to paste.
//!
//! Not here: the phases themselves (they come with the summary), and what is drawn (`chart::timeline`).

use crate::chart::timeline;
use crate::document::{Block, Cell, Column, Form, Row, Section, Table, Text};
use crate::number::{NONE, Rounded, percent};
use crate::{Run, push};
use results::timeline::{ArmTimeline, MedianRow, ProgramClock, SHIM_BESIDE, SHIM_STEPS, StepRow};

const KEY: &str = "How to read it: the longest phase is where the time goes. Traced runs are runs of their own beside the plain ones, which stay untraced. Each phase ends when the next \
                   one begins, and those of one run sum to its wall time; their medians need not. `unattributed` lies beside \
                   a moment that nobody dated.";

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("timeline", "Where the time goes");
    for (index, bench) in benches(run).into_iter().enumerate() {
        let rows = of_bench(run, bench);
        if index == 0 {
            section.push(Block::key(Text::prose(KEY)));
        }
        if run.manifest.clock_of(bench) == ProgramClock::Unknown {
            section.push(Block::paragraph(Text::prose(&not_dated(bench))));
        }
        let id = format!("timeline-{index}");
        section.push(Block::figure(timeline::figure(&rows, bench, &id), format!("{bench}: medians of phases")));
        section.push(Block::table(phases(bench, &rows)));
        section.push(Block::list(rows.iter().filter_map(|row| difference(row)).collect()));
        let steps = rows.iter().flat_map(|row| steps(row)).collect();
        let steps = Block::details(format!("{bench}: what the shim does"), steps);
        section.push(steps.not_in(Form::Terminal, "they are many, and `summary.json` has them"));
        let gantt =
            Block::details(format!("{bench}: as text to paste (Mermaid)"), vec![Block::command(&gantt(bench, &rows))]);
        section.push(gantt.not_in(Form::Terminal, "a terminal draws no Mermaid"));
    }
    section
}

/// What a program of somebody's own does not tell.
fn not_dated(bench: &str) -> String {
    format!(
        "Not measured: when the program of `{bench}` executes its first instruction and its last. It does not print its clock, \
         so from its task, or from the start of a direct run, until its end it is one phase."
    )
}

fn benches(run: &Run) -> Vec<&str> {
    let mut names: Vec<&str> = run.summary.timeline.iter().map(|row| row.bench.as_str()).collect();
    names.dedup();
    names
}

fn of_bench<'a>(run: &'a Run, bench: &str) -> Vec<&'a ArmTimeline> {
    run.summary.timeline.iter().filter(|row| row.bench == bench).collect()
}

fn rounded(row: MedianRow) -> Rounded {
    Rounded::ms(Some(row.median), row.ci_low.zip(row.ci_high))
}

/// A row for each phase of each case: a terminal is 80 columns wide.
fn phases(bench: &str, rows: &[&ArmTimeline]) -> Table {
    let columns = [
        Column::left("case"),
        Column::left("phase"),
        Column::right("median [low, high]").unit("ms"),
        Column::right("of the time"),
    ];
    let mut table = Table::new(format!("{bench}: phases"), columns);
    for row in rows {
        let Some(wall) = row.wall_ns else {
            let note = row.note.clone().unwrap_or_default();
            table.push(Row::of([row.case.as_str(), "not traced", NONE, NONE]).note(Text::prose(&note)));
            continue;
        };
        let cost = Rounded::new(row.cost.ratio, row.cost.ci_low.zip(row.cost.ci_high)).with_brackets();
        let said = row.note.as_ref().map_or_else(String::new, |note| format!("; {note}"));
        let note = format!("n = {}; traced over plain {cost}{said}", row.n);
        table.push(
            Row::of([row.case.as_str(), "all of it", &rounded(wall).with_brackets(), ""]).note(Text::prose(&note)),
        );
        for phase in row.phases.iter().filter(|phase| phase.ns.median > 0.0) {
            let part = percent(phase.ns.median / wall.median);
            table.push(Row::of([
                Cell::from(""),
                Cell::from(phase.phase.title()),
                Cell::from(rounded(phase.ns).with_brackets()),
                Cell::from(part),
            ]));
        }
    }
    table
}

/// Of what a case takes more or less than its baseline, the phase that is most of it.
fn difference(row: &ArmTimeline) -> Option<Text> {
    let found = row.difference.as_ref()?;
    let wall = found.wall_ns;
    let most = found.phases.iter().max_by(|a, b| {
        let along = |ns: f64| ns * wall.median.signum();
        along(a.ns.median).total_cmp(&along(b.ns.median))
    })?;
    let words = if wall.median < 0.0 { "less" } else { "more" };
    let shown = |row: MedianRow| Rounded::ms(Some(row.median.abs()), ends(row)).with_unit("ms");
    let text = format!(
        "`{}` takes {} {words} than `{}`; of it, {} are “{}”",
        row.case,
        shown(wall),
        found.baseline,
        shown(most.ns),
        most.phase.title()
    );
    Some(Text::prose(&text))
}

/// The ends of the size of a difference; where they are on both sides of nothing, as they are.
fn ends(row: MedianRow) -> Option<(f64, f64)> {
    let (low, high) = row.ci_low.zip(row.ci_high)?;
    Some(if row.median < 0.0 { (-high, -low) } else { (low, high) })
}

fn steps(row: &ArmTimeline) -> Vec<Block> {
    let columns = [
        Column::left("step"),
        Column::right("took [low, high]").unit("ms"),
        Column::right("until [low, high]").unit("ms"),
    ];
    let title = |mark: &str| {
        let known = SHIM_STEPS.into_iter().chain(SHIM_BESIDE).find(|(name, _)| *name == mark);
        known.map_or_else(|| mark.to_owned(), |(_, title)| title.to_owned())
    };
    let line = |step: &StepRow, beside: &str| {
        let took = step.took_ns.map_or_else(|| beside.to_owned(), |took| rounded(took).with_brackets());
        Row::of([title(&step.mark), took, rounded(step.at_ns).with_brackets()])
    };
    let chain = row.steps.iter().map(|step| line(step, ""));
    let beside = row.beside.iter().map(|step| line(step, "beside the others"));
    let caption = format!("{}, from the container being stored to the first instruction", row.case);
    let table = Table::new(caption, columns).with(chain.chain(beside));
    if table.rows.is_empty() { Vec::new() } else { vec![Block::table(table)] }
}

/// A diagram that many places where people write draw from text (mermaid.js.org, "Gantt").
fn gantt(bench: &str, rows: &[&ArmTimeline]) -> String {
    let mut out = format!("gantt\n    title {bench}: medians of phases, in ms\n    dateFormat x\n    axisFormat %L\n");
    for row in rows {
        push(&mut out, format_args!("    section {}\n", row.case));
        let mut from = 0.0;
        for phase in row.phases.iter().filter(|phase| phase.ns.median > 0.0) {
            let to = from + phase.ns.median / 1e6;
            // Whole milliseconds are all that it takes; what is shorter is drawn as one.
            let (start, end) = (from.round(), to.round().max(from.round() + 1.0));
            let title = phase.phase.title().replace(',', "");
            push(&mut out, format_args!("    {title} : {start:.0}, {end:.0}\n"));
            from = to;
        }
    }
    out
}
