//! The page and the picture, checked as a browser would: every tag closed, every reference resolved, nothing loaded.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};

use super::super::{html, picture};
use super::{assert_no_bare_absence, runs};
use crate::document::Form;

/// A tag: name, attributes.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

/// What a strict reader finds in a document.
struct Document<'a> {
    tags: Vec<Tag<'a>>,
    visible: String,
}

/// Reads tags and text; an error for anything that is not closed, quoted or escaped.
fn read(text: &str) -> Result<Document<'_>> {
    let (mut open, mut tags, mut visible) = (Vec::new(), Vec::new(), String::new());
    let mut rest = text.strip_prefix("<!DOCTYPE html>").unwrap_or(text);
    while let Some((before, after)) = rest.split_once('<') {
        if open.last() != Some(&"style") {
            ensure!(!before.contains('>'), "a bare `>` in {before:?}");
            check_entities(before)?;
            visible.push_str(before);
            visible.push(' ');
        }
        let (tag, after) = after.split_once('>').context("a tag does not end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            ensure!(open.pop() == Some(name), "</{name}> closes something else");
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        ensure!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "<{name}>");
        if !closed && !["meta", "br"].contains(&name) {
            open.push(name);
        }
        tags.push(Tag { name, attributes: read_attributes(attributes)? });
    }
    ensure!(open.is_empty(), "never closed: {open:?}");
    Ok(Document { tags, visible })
}

fn read_attributes(mut rest: &str) -> Result<Vec<(&str, &str)>> {
    let mut attributes: Vec<(&str, &str)> = Vec::new();
    while !rest.trim().is_empty() {
        let (name, after) = rest.trim_start().split_once("=\"").context("an attribute is not quoted")?;
        let (value, after) = after.split_once('"').context("a quoted value does not end")?;
        check_entities(value)?;
        ensure!(!attributes.iter().any(|(other, _)| *other == name), "{name} stands twice");
        attributes.push((name, value));
        rest = after;
    }
    Ok(attributes)
}

fn check_entities(text: &str) -> Result<()> {
    for after in text.split('&').skip(1) {
        let name = after.split_once(';').map(|(name, _)| name);
        ensure!(name.is_some_and(|name| ["amp", "lt", "gt", "quot", "apos", "#39"].contains(&name)), "&{after:?}");
    }
    Ok(())
}

fn attribute<'a>(tag: &Tag<'a>, name: &str) -> Option<&'a str> {
    tag.attributes.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
}

#[test]
fn the_page_is_well_formed_loads_nothing_and_runs_nothing() {
    for (name, run) in runs() {
        let text = html::render(&run);
        assert!(text.len() < 1_000_000, "{name}: {} bytes", text.len());
        let page = read(&text).unwrap();
        for tag in &page.tags {
            assert!(!["script", "link", "img", "iframe", "object", "image", "use"].contains(&tag.name), "{name}");
            for (attribute, value) in &tag.attributes {
                assert!(!attribute.starts_with("on") && !["src", "style"].contains(attribute), "{name}: {attribute}");
                assert!(*attribute != "href" || value.starts_with('#'), "{name}: {value}");
            }
        }
        assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("url("), "{name}");
        assert!(!text.contains("@import"), "{name}");
        assert_no_bare_absence(name, &page.visible);
    }
}

#[test]
fn every_section_is_there_and_every_reference_leads_somewhere() {
    for (name, run) in runs() {
        let text = html::render(&run);
        let page = read(&text).unwrap();
        let mut ids = BTreeSet::new();
        for id in page.tags.iter().filter_map(|tag| attribute(tag, "id")) {
            assert!(ids.insert(id), "{name}: the id {id} stands twice");
        }
        let sections = page.tags.iter().filter(|tag| tag.name == "section").filter_map(|tag| attribute(tag, "id"));
        let sections: Vec<&str> = sections.collect();
        let shown = crate::sections::all(&run).into_iter().filter(|section| section.is_in(Form::Page));
        assert_eq!(sections, shown.map(|section| section.id).collect::<Vec<_>>(), "{name}");
        for tag in &page.tags {
            let labels = attribute(tag, "aria-labelledby").unwrap_or("");
            let link = attribute(tag, "href").and_then(|href| href.strip_prefix('#'));
            for id in labels.split(' ').filter(|id| !id.is_empty()).chain(link) {
                assert!(ids.contains(id), "{name}: nothing has the id {id}");
            }
        }
    }
}

#[test]
fn figures_and_tables_speak_to_a_screen_reader() {
    for (name, run) in runs() {
        let text = html::render(&run);
        let page = read(&text).unwrap();
        for pair in page.tags.windows(2) {
            match pair[0].name {
                "svg" => {
                    assert_eq!(pair[1].name, "title", "{name}");
                    assert_eq!(attribute(&pair[0], "role"), Some("img"));
                    assert!(attribute(&pair[0], "viewBox").is_some());
                }
                "table" => assert_eq!(pair[1].name, "caption", "{name}"),
                "th" => assert!(attribute(&pair[0], "scope").is_some(), "{name}"),
                _ => {}
            }
        }
        let svgs = page.tags.iter().filter(|tag| tag.name == "svg").count();
        assert_eq!(svgs > 0, name != "empty", "{name}");
    }
}

#[test]
fn text_from_data_stays_text() {
    let mut run = crate::fixture::complete();
    run.manifest.run = "</title><script>alert(1)</script>".to_owned();
    run.summary.warnings[0].what = "<img src=x onerror=alert(1)>".to_owned();
    for row in &mut run.summary.cases {
        row.case = row.case.replace("native", "na\"><b>");
    }
    for sample in &mut run.samples {
        sample.case = sample.case.replace("native", "na\"><b>").into();
    }
    for cell in &mut run.manifest.cells {
        cell.name = cell.name.replace("native", "na\"><b>");
    }
    let text = html::render(&run);
    let page = read(&text).unwrap();
    assert!(page.tags.iter().all(|tag| tag.name != "script" && tag.name != "img"));
    assert!(text.contains("na&quot;&gt;&lt;b&gt;/process"));
}

#[test]
fn the_picture_is_a_file_of_its_own_that_loads_nothing() {
    for (name, run) in runs() {
        let text = picture::result(&run);
        let picture = read(&text).unwrap();
        assert_eq!(picture.tags[0].name, "svg");
        assert_eq!(text.matches("http").count(), 1, "{name}: only the namespace is an address");
        assert_no_bare_absence(name, &picture.visible);
        assert!(text.len() < 20_000, "{name}");
    }
}

#[test]
fn a_reader_that_accepted_anything_would_prove_nothing() {
    for broken in ["<p>a", "<p></b></p>", "<p id=x></p>", "<p>a & b</p>", "<p>a > b</p>"] {
        assert!(read(broken).is_err(), "{broken}");
    }
}
