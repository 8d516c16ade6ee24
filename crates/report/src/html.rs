//! `report.html`: the whole run in one file that loads nothing from anywhere and runs no script. It reads in light and
//! dark, on a phone, printed, and by a screen reader.
//!
//! Not here: the figures (`chart`), and the tables' content beyond layout (`view`, `number`).

use anyhow::Result;

use super::{Run, findings, picture, push, view};
use crate::visible::visible;

mod figures;
mod raw;
mod tables;

const STYLE: &str = include_str!("html/style.css");

/// The ids of the sections, in their order.
pub const SECTIONS: [&str; 11] =
    ["result", "warnings", "sizes", "times", "ratios", "sequence", "fit", "claims", "fingerprint", "raw", "again"];

/// A part of the page: its id, its heading, its content.
struct Section {
    id: &'static str,
    title: &'static str,
    body: String,
}

/// The page.
///
/// # Errors
/// When plotters can not draw, which for text in memory means a bug.
pub fn render(run: &Run) -> Result<String> {
    let mut sections = vec![
        Section { id: "result", title: "Result", body: tables::central(run) },
        Section { id: "warnings", title: "Before believing it", body: tables::notes(run) },
        Section { id: "sizes", title: "Sizes", body: figures::sizes(run)? },
        Section { id: "times", title: "Times", body: figures::times(run)? + &tables::further(run) },
        Section { id: "ratios", title: "Ratios to native", body: figures::ratios(run)? },
        Section { id: "sequence", title: "In the order of the rounds", body: figures::sequence(run)? },
        Section { id: "fit", title: "Fixed and marginal cost", body: figures::fit(run)? },
        Section { id: "claims", title: "Published figures beside ours", body: tables::claims(run) },
        Section { id: "fingerprint", title: "Where and when", body: tables::fingerprint(run) },
        Section { id: "raw", title: "Every number", body: raw::tables(run) },
        Section { id: "again", title: "The same again", body: again(run) },
    ];
    // What this run does not have needs no heading.
    sections.retain(|section| !section.body.is_empty());
    let mut out = head(run)?;
    out.push_str("<nav aria-label=\"Sections\"><ul>\n");
    for section in &sections {
        push(&mut out, format_args!("<li><a href=\"#{}\">{}</a></li>\n", section.id, section.title));
    }
    out.push_str("</ul></nav>\n<main>\n");
    for Section { id, title, body } in &sections {
        push(
            &mut out,
            format_args!(
                "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{title}</h2>\n{body}</section>\n"
            ),
        );
    }
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

fn head(run: &Run) -> Result<String> {
    let name = escape(&run.manifest.run);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Native and Wasm: {name}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <p class=\"run\">{name}</p>\n<h1>Native and Wasm, run directly and in containers</h1>\n"
    );
    if let Some(bench) = view::headline(run) {
        push(
            &mut out,
            format_args!(
                "<p class=\"workload\">The workload: <b>{}</b>, one Rust program built for each kind. {}</p>\n",
                escape(&bench.name),
                prose(&bench.why)
            ),
        );
    }
    if !run.summary.cases.is_empty() {
        push(
            &mut out,
            format_args!(
                "<div class=\"picture scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">\n{}</div>\n",
                picture::TITLE,
                picture::figure(run)?
            ),
        );
    }
    for sentence in findings::sentences(run) {
        push(&mut out, format_args!("<p class=\"finding\">{}</p>\n", prose(&sentence)));
    }
    out.push_str("</header>\n");
    Ok(out)
}

fn again(run: &Run) -> String {
    let source = &run.manifest.source;
    let mut lines = String::new();
    if source.revision != "unknown" {
        push(&mut lines, format_args!("git checkout {}\n", escape(&view::shell_word(&source.revision))));
    }
    lines.push_str(&escape(&view::command(run)));
    let mut out = format!("<pre><code>{lines}</code></pre>\n");
    out.push_str(match source.dirty {
        Some(true) => "<p>Tracked files differed from that revision, so this is not quite the same source.</p>\n",
        Some(false) => "",
        None => "<p>Whether the source was changed is not known.</p>\n",
    });
    out.push_str(
        "<p>The seed fixes the order of the runs, not their times. This page is made by <code>cargo xtask \
         report</code> from <code>manifest.json</code> and <code>samples.jsonl</code> alone.</p>\n",
    );
    out
}

/// Sentences as text, with what stands between two backticks as code.
fn prose(text: &str) -> String {
    let parts: Vec<String> = text.split('`').map(escape).collect();
    // An odd one quotes nothing.
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let shown =
        |(index, part): (usize, &String)| if index % 2 == 0 { part.clone() } else { format!("<code>{part}</code>") };
    parts.iter().enumerate().map(shown).collect()
}

/// Text as text, in content and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in visible(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn what_stands_between_backticks_is_code() {
        assert_eq!(prose("use `--case <a>` or `b`"), "use <code>--case &lt;a&gt;</code> or <code>b</code>");
        assert_eq!(prose("an odd ` one"), "an odd ` one");
    }

    #[test]
    fn the_first_screen_has_the_workload_and_the_picture() {
        let run = fixture::complete();
        let page = render(&run).unwrap();
        let (head, _) = page.split_once("<nav").unwrap();
        assert!(head.contains(&prose(&view::headline(&run).unwrap().why)) && head.contains("<svg"), "{head}");
        assert!(!head.contains('`'));
    }

    #[test]
    fn what_a_run_does_not_have_has_no_section() {
        let has = |run: &Run, id: &str| render(run).unwrap().contains(&format!("#{id}\""));
        assert!(has(&fixture::complete(), "fit") && has(&fixture::complete(), "claims"));
        assert!(!has(&fixture::five_rounds(), "fit"));
        assert!(!has(&fixture::empty(), "claims") && !has(&fixture::empty(), "sequence"));
    }
}
