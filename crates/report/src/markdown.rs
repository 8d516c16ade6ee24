//! The run in Markdown: its own `README.md`, a comment for a pull request, and the section that is spliced into
//! the project's README.
//!
//! Not here: which file is read or written.

use anyhow::{Context as _, Result, ensure};

use super::number::{NONE, confidence, percent, published};
use super::view::{self, Row};
use super::{Run, findings, push};
use crate::visible::visible;
use results::{ClaimVerdict, Summary};

/// The line before the result in the project's README.
pub const BEGIN: &str = "<!-- result:begin -->";
/// The line after it.
pub const END: &str = "<!-- result:end -->";

/// Where a spliced result comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The run's folder, relative to the README.
    pub folder: &'a str,
    /// The command that splices it.
    pub command: &'a str,
}

/// `results/<run>/README.md`.
pub fn readme(run: &Run) -> String {
    let mut out = format!("# Run {}\n\n", escape(&run.manifest.run));
    out.push_str(&sentences(run));
    push(&mut out, format_args!("![{}](result.svg)\n\n", super::picture::TITLE));
    out.push_str(&central(run));
    for bench in view::shown_benches(run) {
        out.push_str(&bench_table(run, &bench.name));
    }
    out.push_str(&further(run));
    out.push_str(&resolutions(run));
    out.push_str(&other_ratios(run));
    out.push_str(&fits(run));
    out.push_str(&claims(&run.summary));
    out.push_str(&notes(run));
    out.push_str(&circumstances(run));
    out.push_str("## The other files\n\n");
    out.push_str("`manifest.json` and `samples.jsonl` were written while measuring; `cargo xtask report` makes\n");
    out.push_str("everything else from these two. `report.html` shows every sample; the fields of the data are\n");
    out.push_str("explained in `results/README.md`.\n");
    out
}

/// A comment for a pull request: sentences and central table open, the rest folded.
pub fn pull_request(run: &Run) -> String {
    let mut out = format!("### {}\n\n", escape(&run.manifest.run));
    out.push_str(&sentences(run));
    out.push_str(&central(run));
    out.push_str("<details><summary>Every row, and what to know before believing it</summary>\n\n");
    for bench in view::shown_benches(run) {
        out.push_str(&bench_table(run, &bench.name));
    }
    out.push_str(&further(run));
    out.push_str(&resolutions(run));
    out.push_str(&notes(run));
    out.push_str(&circumstances(run));
    out.push_str("</details>\n");
    out
}

/// What stands between the markers of the project's README, markers not included.
pub fn result_section(run: &Run, origin: Origin) -> String {
    let mut out = sentences(run);
    let folder = origin.folder.trim_end_matches('/');
    let target = link_target(folder);
    push(&mut out, format_args!("![{}]({target}/result.svg)\n\n", escape(super::picture::TITLE)));
    out.push_str(&central(run));
    let machine = &run.manifest.machine;
    let processor = machine.cpu_model.as_deref().unwrap_or("a processor that does not say its name");
    push(
        &mut out,
        format_args!(
            "{} rounds on {}; the whole run, with every sample, is in [{}]({target}/README.md).\nThis section is made from it by `{}`.\n",
            run.manifest.rounds,
            escape(processor),
            code(folder),
            origin.command
        ),
    );
    out
}

/// Replaces what stands between the markers.
///
/// # Errors
/// When a marker is missing, stands twice, or the end stands before the begin; the error names it.
pub fn splice(text: &str, section: &str) -> Result<String> {
    for marker in [BEGIN, END] {
        let count = text.matches(marker).count();
        ensure!(count > 0, "the marker `{marker}` is missing: put it on a line of its own where the result belongs");
        ensure!(count == 1, "the marker `{marker}` stands {count} times: one is needed");
    }
    let (before, rest) = text.split_once(BEGIN).context("a marker that was found is gone")?;
    let (_, after) = rest.split_once(END).with_context(|| format!("the marker `{END}` stands before `{BEGIN}`"))?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", section.trim()))
}

fn sentences(run: &Run) -> String {
    findings::sentences(run).iter().map(|text| escape(text) + "\n").collect::<String>() + "\n"
}

fn central(run: &Run) -> String {
    let mut rows = Vec::new();
    for row in view::central(run) {
        rows.push(central_row(&row));
    }
    if rows.is_empty() {
        return String::new();
    }
    let heads = ["", "binary kB", "image pulled kB", "image unpacked kB", "direct ms", "container ms"];
    let mut out = table(&heads, "lrrrrr", &rows);
    let sure = confidence(view::level(run));
    let bench = view::headline(run).map_or_else(|| NONE.to_owned(), |bench| bench.name.clone());
    push(
        &mut out,
        format_args!("{}: median, its {sure} interval where n allows one, ratio to native by round.", escape(&bench)),
    );
    let sources = view::sources(run);
    if !sources.is_empty() {
        let sources = escape(&sources.join("; "));
        push(
            &mut out,
            format_args!(" Published: {sources}; the image sizes there do not say whether compressed or unpacked."),
        );
    }
    if let Some(note) = view::runtimes::note(run, [bench.as_str()]) {
        push(&mut out, format_args!(" {}", escape(&note)));
    }
    out + "\n\n"
}

/// What the mark of a ratio means, as a paragraph.
fn note<'a>(run: &Run, benches: impl IntoIterator<Item = &'a str>) -> String {
    view::runtimes::note(run, benches).map_or_else(String::new, |note| escape(&note) + "\n\n")
}

fn central_row(row: &Row) -> Vec<String> {
    let lines =
        |parts: [Option<&String>; 3]| parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("<br>");
    let mut cells = vec![escape(&row.name)];
    cells.extend(row.sizes.iter().map(|size| lines([Some(&size.kb), size.ratio.as_ref(), None])));
    cells.extend(row.times.iter().map(|time| lines([Some(&time.median), time.interval.as_ref(), time.ratio.as_ref()])));
    cells
}

fn bench_table(run: &Run, bench: &str) -> String {
    let mut rows = Vec::new();
    for row in view::rows(run).filter(|row| row.bench == bench) {
        let comparison = view::comparison(run, bench, &row.case);
        let verdict = match comparison {
            _ if row.n == 0 => "not measured".to_owned(),
            Some(comparison) => view::runtimes::marked_verdict(comparison),
            None if view::is_twin(run, &row.case) => "A/A twin".to_owned(),
            None => String::new(),
        };
        rows.push(vec![
            escape(&row.case),
            row.n.to_string(),
            row.failed.to_string(),
            view::median(row),
            comparison.map_or_else(String::new, view::runtimes::marked_ratio),
            verdict,
        ]);
    }
    let title = format!("## {}\n\n", escape(bench));
    if rows.is_empty() {
        return title + "Nothing was measured.\n\n";
    }
    let heads = ["case", "n", "failed", "median [low, high]", "ratio to native", "verdict"];
    title + &table(&heads, "lrrrrl", &rows) + &note(run, [bench])
}

/// What was measured beside the headline metric.
fn further(run: &Run) -> String {
    let mut out = String::new();
    for further in view::further(run) {
        let rows: Vec<Vec<String>> =
            further.rows.iter().map(|row| row.iter().map(|cell| escape(cell)).collect()).collect();
        push(&mut out, format_args!("## {}\n\n", escape(&further.title)));
        out.push_str(&table(&view::FURTHER_HEADS, "lrrrl", &rows));
    }
    out
}

fn resolutions(run: &Run) -> String {
    let rows = view::resolutions(run);
    if rows.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let resolution = row.resolution.map_or_else(|| NONE.to_owned(), percent);
            vec![escape(&row.bench), escape(&row.case), row.n.to_string(), view::twin_ratio(row).times(), resolution]
        })
        .collect();
    let heads = ["bench", "measured twice", "n", "twin / first", "resolution"];
    "## What this run can not tell apart\n\n".to_owned() + &table(&heads, "llrrr", &rows)
}

fn other_ratios(run: &Run) -> String {
    let rows: Vec<Vec<String>> = view::other_comparisons(run)
        .into_iter()
        .map(|row| {
            let (ratio, verdict) = (view::runtimes::marked_ratio(row), view::runtimes::marked_verdict(row));
            vec![escape(&row.bench), escape(&row.case), escape(&row.baseline), ratio, verdict]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads = ["bench", "case", "divided by", "ratio", "verdict"];
    "## Where the difference comes from\n\n".to_owned() + &table(&heads, "lllrl", &rows)
}

fn fits(run: &Run) -> String {
    let mut out = String::new();
    for sweep in view::sweeps(run) {
        let fits = view::fits(run).filter(|fit| fit.sweep == sweep);
        let rows: Vec<Vec<String>> = fits
            .map(|fit| {
                let a = view::estimate(fit.a, 1e-6).with_brackets();
                vec![escape(&fit.case), a, view::estimate(fit.b_per_n, 1.0).with_brackets()]
            })
            .collect();
        push(&mut out, format_args!("## {}: a run takes a + b·n\n\n", escape(sweep)));
        out.push_str(&table(&["case", "a [low, high] ms", "b [low, high] ns per n"], "lrr", &rows));
    }
    out
}

/// A claim's verdict in words.
pub const fn claim_verdict(verdict: ClaimVerdict) -> &'static str {
    match verdict {
        ClaimVerdict::Reproduced => "reproduced",
        ClaimVerdict::NotReproduced => "not reproduced",
        ClaimVerdict::NotComparable => "not comparable",
    }
}

fn claims(summary: &Summary) -> String {
    if summary.claims.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = summary
        .claims
        .iter()
        .map(|row| {
            vec![
                escape(&row.what),
                published(row.published),
                row.ours.map_or_else(|| NONE.to_owned(), |ours| super::number::significant(ours, 4)),
                escape(&row.unit),
                claim_verdict(row.verdict).to_owned(),
                escape(&row.explanation),
                escape(&row.source),
            ]
        })
        .collect();
    let heads = ["what", "published", "ours", "unit", "verdict", "why", "source"];
    "## Published figures beside ours\n\n".to_owned() + &table(&heads, "lrrllll", &rows)
}

fn notes(run: &Run) -> String {
    let mut lines = Vec::new();
    for warning in &run.summary.warnings {
        lines.push(format!("- **Warning**: {}; {}", escape(&warning.what), escape(&warning.advice)));
    }
    if let Some(end) = view::unfinished(run) {
        lines.push(format!("- **Warning**: {end}; what was measured until then is shown"));
    }
    for (reason, names) in view::not_measured(run) {
        lines.push(format!("- **Not measured**: {}: {}", escape(&names.join(", ")), escape(&reason)));
    }
    for failure in view::failures(run) {
        lines.push(format!(
            "- **Failed**: {} {}, {} times, the first with {}",
            escape(&failure.bench),
            escape(&failure.case),
            failure.runs,
            escape(&failure.first)
        ));
    }
    if lines.is_empty() { String::new() } else { format!("## To know\n\n{}\n\n", lines.join("\n")) }
}

fn circumstances(run: &Run) -> String {
    let mut out = String::from("## The same again\n\n");
    push(&mut out, format_args!("At revision {}:\n\n", code(&run.manifest.source.revision)));
    push(&mut out, format_args!("{}\n", fenced(&view::command(run))));
    let rows: Vec<Vec<String>> =
        view::circumstances(run).into_iter().map(|(name, value)| vec![escape(name), escape(&value)]).collect();
    out + &table(&["circumstance", "here"], "ll", &rows)
}

/// Text from data within a line, letter for letter; delimited by more backticks than it holds in a row (CommonMark
/// 0.31.2, section 6.1).
fn code(text: &str) -> String {
    let text = visible(text).replace('\n', " ");
    let fence = "`".repeat(longest_backticks(&text) + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// Lines for a shell, letter for letter (CommonMark 0.31.2, section 4.5: the fence is longer than any within).
fn fenced(text: &str) -> String {
    let fence = "`".repeat((longest_backticks(text) + 1).max(3));
    format!("{fence}sh\n{}\n{fence}\n", visible(text))
}

/// A relative path as the target of a link (RFC 3986, section 2).
fn link_target(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn longest_backticks(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// A table; cells are Markdown. `alignment` has a letter per column: `l` or `r`.
pub fn table(heads: &[&str], alignment: &str, rows: &[Vec<String>]) -> String {
    let rule = alignment.chars().map(|letter| if letter == 'r' { "---:" } else { "---" });
    let mut out = format!("| {} |\n|{}|\n", heads.join(" | "), rule.collect::<Vec<_>>().join("|"));
    for row in rows {
        push(&mut out, format_args!("| {} |\n", row.join(" | ")));
    }
    out + "\n"
}

/// Text from data, as text: no markup of its own, on one line.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for letter in visible(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '#' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splicing_replaces_what_stands_between_the_markers_and_nothing_else() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let once = splice(&text, "new\n").unwrap();
        assert_eq!(once, format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n"));
        assert_eq!(splice(&once, "new\n").unwrap(), once);
    }

    #[test]
    fn a_missing_doubled_or_swapped_marker_is_named() {
        let error = |text: &str| splice(text, "new").unwrap_err().to_string();
        assert!(error(BEGIN).contains(END));
        assert!(error(END).contains(BEGIN));
        assert!(error(&format!("{BEGIN}{BEGIN}{END}")).contains("2 times"));
        assert!(error(&format!("{END}{BEGIN}")).contains("before"));
    }

    #[test]
    fn code_from_data_ends_where_it_ends() {
        assert_eq!(code("abc"), "`abc`");
        assert_eq!(code("a``b\u{1b}"), "```a``b\\u{1b}```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(fenced("cargo 'a\n```\n# b'"), "````sh\ncargo 'a\n```\n# b'\n````\n");
    }

    #[test]
    fn a_link_leads_to_a_folder_of_any_name() {
        assert_eq!(link_target("results/recorded/2026-11-23"), "results/recorded/2026-11-23");
        assert_eq!(link_target("r/a b)é"), "r/a%20b%29%C3%A9");
    }

    #[test]
    fn text_from_data_has_no_markup_of_its_own() {
        assert_eq!(escape("a|b `c` <d>\n[e]"), r"a\|b \`c\` &lt;d&gt; \[e\]");
    }
}
