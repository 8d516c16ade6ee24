//! The tables of the page: the central one, warnings, resolutions, fits, claims, the fingerprint.
//!
//! Not here: the long ones (`raw`).

use super::{escape, prose};
use crate::markdown::claim_verdict;
use crate::number::{NONE, confidence, percent, published, significant};
use crate::view::{self, Row};
use crate::{Run, push};

/// A table in a box that scrolls by itself where the screen is narrow. The first cell of a row is its header; cells are
/// HTML. `alignment` has a letter per column: `l` or `r`.
pub fn table(caption: &str, heads: &[&str], alignment: &str, rows: &[Vec<String>]) -> String {
    let class = |column: usize| if alignment.as_bytes().get(column) == Some(&b'r') { " class=\"r\"" } else { "" };
    let mut out = format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\">\n<table>\n\
         <caption>{caption}</caption>\n<thead><tr>"
    );
    for (column, head) in heads.iter().enumerate() {
        push(&mut out, format_args!("<th scope=\"col\"{}>{head}</th>", class(column)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            if column == 0 {
                push(&mut out, format_args!("<th scope=\"row\"{}>{cell}</th>", class(column)));
            } else {
                push(&mut out, format_args!("<td{}>{cell}</td>", class(column)));
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

pub fn central(run: &Run) -> String {
    let Some(bench) = view::headline(run) else { return "<p>The run has no bench.</p>\n".to_owned() };
    let rows: Vec<Vec<String>> = view::central(run).iter().map(central_row).collect();
    let sure = confidence(view::level(run));
    let caption = format!(
        "{}: sizes, and medians with their {sure} interval where n allows one; beneath, the ratio to native",
        escape(&bench.name)
    );
    let heads = ["", "binary<br>kB", "image pulled<br>kB", "image unpacked<br>kB", "direct<br>ms", "container<br>ms"];
    let mut out = table(&caption, &heads, "lrrrrr", &rows) + &note(run, [bench.name.as_str()]);
    let sources = view::sources(run);
    if !sources.is_empty() {
        push(
            &mut out,
            format_args!(
                "<p class=\"key\">Published: {}. The image sizes there do not say whether compressed or unpacked.</p>\n",
                escape(&sources.join("; "))
            ),
        );
    }
    out
}

/// What the mark of a ratio means, as a paragraph.
pub fn note<'a>(run: &Run, benches: impl IntoIterator<Item = &'a str>) -> String {
    let text = view::runtimes::note(run, benches);
    text.map_or_else(String::new, |text| format!("<p class=\"key\">{}</p>\n", escape(&text)))
}

fn central_row(row: &Row) -> Vec<String> {
    let lines = |value: &str, beneath: [Option<&String>; 2]| {
        let beneath = beneath.into_iter().flatten().map(|text| format!("<small>{}</small>", escape(text)));
        format!("<b>{}</b>", escape(value)) + &beneath.collect::<String>()
    };
    let mut cells = vec![escape(&row.name)];
    cells.extend(row.sizes.iter().map(|size| lines(&size.kb, [size.ratio.as_ref(), None])));
    cells.extend(row.times.iter().map(|time| lines(&time.median, [time.interval.as_ref(), time.ratio.as_ref()])));
    cells
}

pub fn notes(run: &Run) -> String {
    let mut items = Vec::new();
    if let Some(end) = view::unfinished(run) {
        items.push(format!("<b>Warning</b>: {end}. What was measured until then is shown."));
    }
    for warning in &run.summary.warnings {
        items.push(format!("<b>Warning</b>: {}; <i>{}</i>", prose(&warning.what), prose(&warning.advice)));
    }
    for (reason, names) in view::not_measured(run) {
        items.push(format!("<b>Not measured</b>: {}: {}", escape(&names.join(", ")), prose(&reason)));
    }
    for failure in view::failures(run) {
        let runs = if failure.runs == 1 { "1 run".to_owned() } else { format!("{} runs", failure.runs) };
        items.push(format!(
            "<b>Failed</b>: {} {}: {runs}, the first with {}",
            escape(&failure.bench),
            escape(&failure.case),
            escape(&failure.first)
        ));
    }
    for (word, names) in view::undetermined(run) {
        items.push(format!("<b>Undecided</b>: {}: {word}", escape(&names.join(", "))));
    }
    if items.is_empty() {
        return "<p>Nothing stands in the way: no warning, no failure, no missing row, no open verdict.</p>\n"
            .to_owned();
    }
    format!("<ul class=\"notes\">\n<li>{}</li>\n</ul>\n", items.join("</li>\n<li>"))
}

pub fn resolutions(run: &Run) -> String {
    let rows = view::resolutions(run);
    if rows.is_empty() {
        return "<p>No cell was measured twice, so the resolution of this run is not known.</p>\n".to_owned();
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
            vec![
                format!("{} {}", escape(&row.bench), escape(&row.case)),
                row.n.to_string(),
                view::twin_ratio(row).times(),
                or_none(row.confidence.map(confidence)),
                or_none(row.resolution.map(percent)),
            ]
        })
        .collect();
    let heads = ["measured twice", "n", "twin / first", "confidence", "resolution"];
    table("A/A rows: what this run can not tell apart", &heads, "lrrrr", &rows)
}

/// What was measured beside the headline metric.
pub fn further(run: &Run) -> String {
    let tables = view::further(run).into_iter().map(|further| {
        let rows: Vec<Vec<String>> =
            further.rows.iter().map(|row| row.iter().map(|cell| escape(cell)).collect()).collect();
        table(&escape(&further.title), &view::FURTHER_HEADS, "lrrrl", &rows)
    });
    tables.collect()
}

/// The ratios that are not to native.
pub fn other_ratios(run: &Run) -> String {
    let rows: Vec<Vec<String>> = view::other_comparisons(run)
        .into_iter()
        .map(|row| {
            let (ratio, verdict) = (view::runtimes::marked_ratio(row), view::runtimes::marked_verdict(row));
            let name = format!("{} {}", escape(&row.bench), escape(&row.case));
            vec![name, escape(&row.baseline), ratio, verdict]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads = ["bench and case", "divided by", "ratio", "verdict"];
    table("Where the difference comes from: ratios that are not to native", &heads, "llrl", &rows)
}

pub fn fits(run: &Run, sweep: &str) -> String {
    let fits: Vec<_> = view::fits(run).filter(|fit| fit.sweep == sweep).collect();
    let rows: Vec<Vec<String>> = fits
        .iter()
        .map(|fit| {
            vec![
                escape(&fit.case),
                view::estimate(fit.a, 1e-6).with_brackets(),
                view::estimate(fit.b_per_n, 1.0).with_brackets(),
            ]
        })
        .collect();
    let method = fits.first().map_or("", |fit| fit.method.as_str());
    let caption = format!("{}: fixed cost a and cost per unit b; {}", escape(sweep), escape(method));
    table(&caption, &["case", "a [low, high] ms", "b [low, high] ns"], "lrr", &rows)
}

pub fn claims(run: &Run) -> String {
    if run.summary.claims.is_empty() {
        return String::new();
    }
    let claims = &run.summary.claims;
    let mut sources: Vec<&str> = claims.iter().map(|row| row.source.as_str()).collect();
    sources.dedup();
    let rows: Vec<Vec<String>> = claims
        .iter()
        .map(|row| {
            let mut cells = vec![
                escape(&row.what),
                published(row.published),
                row.ours.map_or_else(|| NONE.to_owned(), |ours| significant(ours, 4)),
                escape(&row.unit),
                claim_verdict(row.verdict).to_owned(),
                prose(&row.explanation),
            ];
            if sources.len() > 1 {
                cells.push(escape(&row.source));
            }
            cells
        })
        .collect();
    let heads = ["what", "published", "ours", "unit", "verdict", "why", "source"];
    match sources[..] {
        [one] => {
            let caption = format!("What {} says, and whether it came out again here", escape(one));
            table(&caption, &heads[..6], "lrrlll", &rows)
        }
        _ => table("Published figures, and whether they came out again here", &heads, "lrrllll", &rows),
    }
}

pub fn fingerprint(run: &Run) -> String {
    let rows: Vec<Vec<String>> =
        view::circumstances(run).into_iter().map(|(name, value)| vec![name.to_owned(), escape(&value)]).collect();
    let mut out = table("Circumstances of the run", &["what", "here"], "ll", &rows);
    let records = |program: &str, kind: &str, words: String, digest: &str| {
        vec![format!("{} {}", escape(program), escape(kind)), words, format!("<code>{}</code>", escape(digest))]
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for file in &run.manifest.artifacts {
        let words = format!("{}, {} bytes", escape(&file.target), file.size_bytes);
        rows.push(records(&file.program, &file.kind, words, &file.sha256));
    }
    for image in &run.manifest.images {
        let words = format!("image {}, {}", escape(&image.platform), escape(&image.compression));
        rows.push(records(&image.program, &image.kind, words, &image.manifest_digest));
    }
    for program in &run.manifest.programs {
        rows.push(records(&program.name, "", escape(&program.version), &program.sha256));
    }
    for package in &run.manifest.packages {
        let words = format!("package {} {}", escape(&package.version), escape(&package.architecture));
        rows.push(records(&package.name, "", words, &package.sha256));
    }
    out.push_str("<details>\n<summary>Digests of everything that took part</summary>\n");
    out.push_str(&table("What took part, by digest", &["name", "what", "SHA-256"], "lll", &rows));
    out + "</details>\n"
}
