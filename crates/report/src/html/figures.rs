//! The figures of the page, with the words that stand around them.
//!
//! Not here: how a figure is drawn (`chart`).

use std::fmt::Write as _;

use anyhow::Result;

use super::{escape, tables};
use crate::chart::{fit, ratios, sequence, sizes, times};
use crate::number::{NONE, confidence};
use crate::view::{self, Side};
use crate::{Run, push};
use results::CaseSummary;

fn figure(svg: &str, caption: &str) -> String {
    format!("<figure>\n<figcaption>{caption}</figcaption>\n{svg}</figure>\n")
}

fn grid(class: &str, figures: &str) -> String {
    format!("<div class=\"{class}\">\n{figures}</div>\n")
}

fn or_nothing(figures: &str, class: &str, words: &str) -> String {
    if figures.is_empty() { format!("<p>{words}</p>\n") } else { grid(class, figures) }
}

pub fn sizes(run: &Run) -> Result<String> {
    let mut figures = String::new();
    let mut programs: Vec<&str> = Vec::new();
    for row in &run.summary.sizes {
        if !programs.contains(&row.program.as_str()) {
            programs.push(&row.program);
        }
    }
    for (index, program) in programs.into_iter().enumerate() {
        if let Some(svg) = sizes::figure(run, program, &format!("size-{index}"))? {
            figures.push_str(&figure(&svg, &escape(program)));
        }
    }
    let text = or_nothing(&figures, "panels", "No size is in this run.");
    Ok(format!("<p class=\"key\">Exact bytes in kB (1000 bytes), and their ratio to native.</p>\n{text}"))
}

pub fn times(run: &Run) -> Result<String> {
    let mut figures = String::new();
    for (index, bench) in view::shown_benches(run).into_iter().enumerate() {
        for side in Side::ALL {
            let id = format!("time-{index}-{}", if side == Side::Direct { "direct" } else { "container" });
            if let Some(svg) = times::figure(run, (&bench.name, side), &id)? {
                let on_side = |row: &&CaseSummary| row.bench == bench.name && view::side(run, &row.case) == side;
                let rows: Vec<&CaseSummary> = view::rows(run).filter(on_side).collect();
                let (name, counts) = (escape(&bench.name), escape(&view::counts(&rows)));
                figures.push_str(&figure(&svg, &format!("{name}, {}: {counts}", side.title())));
            }
        }
    }
    let sure = confidence(view::level(run));
    let mut key = format!(
        "<p class=\"key\">A dot is one fresh process or container; the line is the median, the bar its {sure} interval. \
         Height within a row means nothing."
    );
    let most = view::rows(run).map(|row| row.n).max().unwrap_or(0);
    if most > times::DOTS {
        push(
            &mut key,
            format_args!(
                " Of each cell {} dots are drawn, evenly by rank with the fastest and the slowest; medians and intervals \
             come from all {most}.",
                times::DOTS
            ),
        );
    }
    Ok(key + "</p>\n" + &or_nothing(&figures, "panels", "No sample is in this run."))
}

pub fn ratios(run: &Run) -> Result<String> {
    let mut figures = String::new();
    for (index, bench) in view::shown_benches(run).into_iter().enumerate() {
        for side in Side::ALL {
            let id = format!("ratio-{index}-{}", if side == Side::Direct { "direct" } else { "container" });
            if let Some(svg) = ratios::figure(run, (&bench.name, side), &id)? {
                figures.push_str(&figure(&svg, &format!("{}, {}", escape(&bench.name), side.title())));
            }
        }
    }
    let key = "<p class=\"key\">Time as a multiple of native on the same side of the container wall: the median over \
               rounds of the ratio within a round, with its interval. The grey band is the margin within which a \
               difference is called none. An A/A row is one case measured twice: it should hold 1.</p>\n";
    Ok(key.to_owned()
        + &or_nothing(&figures, "panels", "No ratio to native is in this run.")
        + &tables::note(run, view::shown_benches(run).into_iter().map(|bench| bench.name.as_str()))
        + &tables::resolutions(run)
        + &tables::other_ratios(run))
}

pub fn sequence(run: &Run) -> Result<String> {
    let mut out = String::from(
        "<p class=\"key\">Time in ms by round; the line is the median, the band its interval. Open circles are warm-up \
         rounds, crosses failed runs; neither counts. A triangle at the upper edge is a run beyond it. ρ is the rank correlation of time and round, p its two-sided \
         p-value.",
    );
    let most = view::rows(run).map(|row| row.n + row.failed).max().unwrap_or(0);
    if most > sequence::DOTS {
        push(
            &mut out,
            format_args!(
                " Of each cell {} runs are drawn, evenly by round, with the fastest, the slowest and the failed ones.",
                sequence::DOTS
            ),
        );
    }
    out.push_str("</p>\n");
    let words = out.len();
    for (bench_index, bench) in view::shown_benches(run).into_iter().enumerate() {
        let mut figures = String::new();
        let rows = view::rows(run).filter(|row| row.bench == bench.name);
        for (index, row) in rows.enumerate() {
            let Some(svg) = sequence::figure(run, row, &format!("seq-{bench_index}-{index}"))? else { continue };
            let mut caption = escape(&row.case);
            if let Some(drift) = row.drift {
                write!(caption, " <span>ρ {:.2}, {}</span>", drift.spearman, p_value(drift.p_value))?;
            }
            figures.push_str(&figure(&svg, &caption));
        }
        if !figures.is_empty() {
            push(&mut out, format_args!("<h3>{}</h3>\n{}", escape(&bench.name), grid("small-panels", &figures)));
        }
    }
    Ok(if out.len() > words { out } else { String::new() })
}

fn p_value(p: f64) -> String {
    match p {
        p if !p.is_finite() => format!("p {NONE}"),
        p if p < 0.001 => "p &lt; 0.001".to_owned(),
        p => format!("p {p:.3}"),
    }
}

pub fn fit(run: &Run) -> Result<String> {
    let mut out = String::new();
    for (index, sweep) in view::sweeps(run).into_iter().enumerate() {
        let mut figures = String::new();
        for side in Side::ALL {
            let id = format!("fit-{index}-{}", if side == Side::Direct { "direct" } else { "container" });
            if let Some(svg) = fit::figure(run, (sweep, side), &id)? {
                figures.push_str(&figure(&svg, &format!("{}, {}", escape(sweep), side.title())));
            }
        }
        if !figures.is_empty() {
            out.push_str(&grid("panels", &figures));
        }
        out.push_str(&tables::fits(run, sweep));
    }
    if out.is_empty() {
        return Ok(String::new());
    }
    let key = "<p class=\"key\">A run takes a + b·n: <i>a</i> is delivery and start-up, <i>b</i> execution. Both scales \
               are log; where a line is flat, starting costs more than computing.</p>\n";
    Ok(key.to_owned() + &out)
}
