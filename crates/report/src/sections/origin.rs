//! What is behind a number: how many samples, where they are, what ran, and the command that measures exactly this once more.
//!
//! Not here: where it is folded away (the renderers).

use crate::document::{Origin, Text};
use crate::number::{NONE, confidence};
use crate::{Run, view};
use results::case::Kind;
use results::{CaseSummary, Comparison, ImageRecord, SizeRow};

/// Of a median, and of its ratio to the baseline.
pub fn of_case(run: &Run, row: &CaseSummary) -> Origin {
    let mut facts = facts(run, row.n.to_string(), row.confidence);
    facts.extend(view::comparison(run, &row.bench, &row.case).map(|ratio| {
        let rounds = format!("the median of {} rounds, each divided by ", ratio.n);
        ("ratio", Text::plain(&rounds).and(Text::code(&ratio.baseline)))
    }));
    facts.push(("samples", Text::prose("`samples.jsonl`, the lines of this bench and case")));
    facts.extend(view::digest(run, &row.bench, &row.case).map(|digest| ("what ran", Text::code(digest))));
    Origin { facts, command: view::command_of_cells(run, &row.bench, &[&row.case]).into() }
}

/// Of a ratio.
pub fn of_ratio(run: &Run, row: &Comparison) -> Origin {
    let mut facts = facts(run, format!("{} rounds", row.n), row.confidence);
    facts.push(("samples", Text::prose("`samples.jsonl`, the lines of this bench and both cases")));
    for (name, case) in [("above the line", &row.case), ("below it", &row.baseline)] {
        let digest = view::digest(run, &row.bench, case).unwrap_or(NONE);
        facts.push((name, Text::plain(case).and(" ").and(Text::code(digest))));
    }
    Origin { facts, command: view::command_of_cells(run, &row.bench, &[&row.case, &row.baseline]).into() }
}

/// What of a program's files is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The file.
    Binary,
    /// What a pull transfers.
    Pulled,
    /// The layers as uncompressed tar streams.
    Unpacked,
}

impl Measure {
    /// Each, in the order of the central table.
    pub const ALL: [Self; 3] = [Self::Binary, Self::Pulled, Self::Unpacked];

    const fn words(self) -> &'static str {
        match self {
            Self::Binary => "the length of the file as shipped",
            Self::Pulled => "manifest, config and compressed layers",
            Self::Unpacked => "the layers as uncompressed tar streams",
        }
    }

    fn of(self, row: &SizeRow) -> Option<u64> {
        match self {
            Self::Binary => Some(row.binary_bytes),
            Self::Pulled => row.image_bytes_compressed,
            Self::Unpacked => row.image_bytes_unpacked,
        }
    }
}

/// Of a size, and of its ratio to native; nothing where it was not made.
pub fn of_size(run: &Run, (program, kind): (&str, Kind), measure: Measure) -> Option<Origin> {
    let bytes = |kind: Kind| measure.of(view::size(run, program, kind)?);
    let ours = bytes(kind)?;
    let mut facts: Vec<(&'static str, Text)> = vec![
        ("n", "1: counted once, exact, without an interval".into()),
        ("bytes", ours.to_string().into()),
        ("counted", measure.words().into()),
    ];
    let native = bytes(Kind::Native).filter(|_| kind != Kind::Native);
    facts.extend(native.map(|native| ("ratio", Text::plain(&format!("{ours} over {native} bytes of native")))));
    let digest = match measure {
        Measure::Binary => {
            let mut files = run.manifest.artifacts.iter();
            files.find(|file| file.program == program && file.kind == kind.name()).map(|file| &file.sha256)
        }
        Measure::Pulled | Measure::Unpacked => {
            let is_it = |image: &&ImageRecord| image.program == program && image.name() == kind.name();
            run.manifest.images.iter().find(is_it).map(|image| &image.manifest_digest)
        }
    };
    facts.extend(digest.map(|digest| ("digest", Text::code(digest))));
    let what = if measure == Measure::Binary { "build".to_owned() } else { format!("image {}", kind.name()) };
    Some(Origin { facts, command: view::command_that_makes(run, &what).into() })
}

fn facts(run: &Run, n: String, sure: Option<f64>) -> Vec<(&'static str, Text)> {
    let sure = sure.map_or_else(|| NONE.to_owned(), confidence);
    vec![("n", n.into()), ("confidence", sure.into()), ("seed", run.manifest.seed.to_string().into())]
}
