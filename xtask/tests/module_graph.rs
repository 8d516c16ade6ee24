//! The modules of this program below its root need each other in one direction: whoever reads one has to read those below
//! it, and never comes back. Cargo holds this for crates; here a test does for modules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Which top-level modules each one names, and a file that does.
type Graph = BTreeMap<String, BTreeMap<String, String>>;

/// Sources by their paths below `src`.
type Sources = BTreeMap<String, String>;

#[test]
fn no_module_needs_itself_by_a_detour() {
    let sources = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    assert!(sources.len() > 50, "{} sources are not all of them", sources.len());
    let graph = graph(&sources).unwrap();
    assert!(graph["session"].contains_key("measure") && graph["measure"].contains_key("containerd"), "{graph:?}");
    let cycle = cycle(&graph);
    assert!(cycle.is_none(), "modules need each other in a circle: {}", cycle.unwrap_or_default());
}

#[test]
fn a_circle_is_found_and_its_edges_are_named() {
    let sources = |c: &str| {
        let main = "mod a;\npub mod b;\nmod c;\n";
        let b = "use crate::{a::X, c::{d, e}};\n// use crate::a::in_a_comment\n";
        let all = [("main.rs", main), ("a.rs", "fn f() { crate::b::g() }\n"), ("b/inner.rs", b), ("c.rs", c)];
        all.map(|(path, text)| (path.to_owned(), text.replace("a::X, ", ""))).into()
    };
    assert_eq!(cycle(&graph(&sources("use super::*;\n")).unwrap()), None);
    for c in ["use crate::a::X;\n", "mod tests { use crate::{a}; }\n", "use super::a;\n"] {
        let found = cycle(&graph(&sources(c)).unwrap());
        assert_eq!(found.as_deref(), Some("a → b (a.rs), b → c (b/inner.rs), c → a (c.rs)"), "{c}");
    }
}

#[test]
fn a_path_whose_end_is_not_plain_is_refused() {
    let sources =
        |text: &str| [("lib.rs", "mod a;\n"), ("a.rs", text)].map(|(p, t)| (p.to_owned(), t.to_owned())).into();
    assert!(graph(&sources("use super::super::b;\n")).is_err_and(|error| error.contains("a.rs")));
    assert!(graph(&sources("use crate::elsewhere;\n")).is_err_and(|error| error.contains("elsewhere")));
}

fn read(src: &Path) -> std::io::Result<Sources> {
    let (mut sources, mut folders) = (Sources::new(), vec![src.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(src).unwrap_or(&path).to_string_lossy().into_owned();
                sources.insert(name, std::fs::read_to_string(&path)?);
            }
        }
    }
    Ok(sources)
}

fn is_root(path: &str) -> bool {
    ["main.rs", "lib.rs"].contains(&path)
}

fn graph(sources: &Sources) -> Result<Graph, String> {
    let roots: Vec<String> =
        sources.iter().filter(|(path, _)| is_root(path)).map(|(_, text)| without_comments(text)).collect();
    let modules: BTreeSet<&str> = roots.iter().flat_map(|text| text.lines().filter_map(declared)).collect();
    let mut graph = Graph::new();
    for (path, text) in sources.iter().filter(|(path, _)| !is_root(path)) {
        let from = path.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        let text = without_comments(text);
        if text.contains("super::super::") {
            return Err(format!("{path}: `super::super::` hides where it leads: write `crate::`"));
        }
        let mut named = after(&text, "crate::");
        for name in &named {
            if !modules.contains(name) {
                return Err(format!("{path}: `crate::{name}` is no module: what several need belongs into one"));
            }
        }
        // What is beside a top-level module are the others.
        if !path.contains('/') {
            named.extend(after(&text, "super::").into_iter().filter(|name| modules.contains(name)));
        }
        let edges = graph.entry(from.to_owned()).or_default();
        for to in named.into_iter().filter(|to| *to != from) {
            edges.entry(to.to_owned()).or_insert_with(|| path.clone());
        }
    }
    Ok(graph)
}

/// `mod name;`, public or not.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim().trim_end_matches(';');
    line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The names that stand directly behind a prefix of paths: one, or those of a list in braces.
fn after<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut names = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        // `$crate::`, and names that end alike.
        if text[..at].ends_with(is_part) {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.push(&rest[..rest.find(|character| !is_part(character)).unwrap_or(rest.len())]);
            continue;
        };
        let (mut depth, mut begins) = (0, true);
        for (index, character) in list.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                _ if begins && is_part(character) => {
                    let name = &list[index..];
                    names.push(&name[..name.find(|character| !is_part(character)).unwrap_or(name.len())]);
                    begins = false;
                }
                _ => {}
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The edges of a circle, each with a file that makes it.
fn cycle(graph: &Graph) -> Option<String> {
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| walk(graph, start, &mut Vec::new(), &mut done))
}

fn walk<'a>(
    graph: &'a Graph,
    module: &'a str,
    path: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<String> {
    if let Some(first) = path.iter().position(|other| *other == module) {
        let circle: Vec<&str> = path[first..].iter().copied().chain([module]).collect();
        let edge = |pair: &[&str]| format!("{} → {} ({})", pair[0], pair[1], graph[pair[0]][pair[1]]);
        return Some(circle.windows(2).map(edge).collect::<Vec<_>>().join(", "));
    }
    if done.contains(module) {
        return None;
    }
    path.push(module);
    let found = graph.get(module).into_iter().flat_map(BTreeMap::keys).find_map(|next| walk(graph, next, path, done));
    path.pop();
    done.insert(module);
    found
}
