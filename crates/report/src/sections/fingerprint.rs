//! Where and when: the circumstances of the run, and what took part by digest.
//!
//! Not here: judging them (warnings come with the summary).

use crate::document::{Block, Cell, Column, Form, Row, Section, Table, Text};
use crate::{Run, view};

/// The section.
pub fn section(run: &Run) -> Section {
    let rows = view::circumstances(run).into_iter().map(|(name, value)| Row::of([name.to_owned(), value]));
    let columns = [Column::left("circumstance"), Column::left("here")];
    let table = Table::new("Circumstances of the run", columns).with(rows);
    let digests = Block::details("Digests of everything that took part", vec![Block::table(digests(run))]);
    Section::new("fingerprint", "Where and when")
        .with(Block::table(table))
        .with(digests.not_in(Form::Markdown, "`manifest.json` beside it has them"))
        .not_in(Form::Terminal, "it is the machine in front of the reader")
}

fn digests(run: &Run) -> Table {
    let columns = [Column::left("name"), Column::left("what"), Column::left("SHA-256")];
    let mut table = Table::new("What took part, by digest", columns);
    let mut push = |name: String, what: String, digest: &str| {
        table.push(Row::of([Cell::from(name), Cell::from(what), Cell::from(Text::code(digest))]));
    };
    for file in &run.manifest.artifacts {
        let what = format!("{}, {} bytes", file.target, file.size_bytes);
        push(format!("{} {}", file.program, file.kind), what, &file.sha256);
    }
    for image in &run.manifest.images {
        let what = format!("image {}, {}", image.platform, image.compression);
        push(format!("{} {}", image.program, image.kind), what, &image.manifest_digest);
    }
    for program in &run.manifest.programs {
        push(program.name.clone(), program.version.clone(), &program.sha256);
    }
    for package in &run.manifest.packages {
        let what = format!("package {} {}", package.version, package.architecture);
        push(package.name.clone(), what, &package.sha256);
    }
    table
}
