//! Sizes in two runs: exact bytes, so a difference is one.
//!
//! Not here: whether a size may grow (`gate`).

use serde::Serialize;

use crate::analysis::size_rows;
use crate::{Manifest, SizeRow};

/// One size of one program in one kind and image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeChange {
    /// The program.
    pub program: String,
    /// `native`, `wasm` or `wasm-aot`.
    pub kind: String,
    /// The image's definition; absent for the kind's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// `binary`, `image pulled` or `image unpacked`.
    pub what: &'static str,
    /// In run A; absent where it has none.
    pub a_bytes: Option<u64>,
    /// In run B, likewise.
    pub b_bytes: Option<u64>,
    /// B over A.
    pub ratio: Option<f64>,
}

impl SizeChange {
    /// As it is named in lists.
    pub fn name(&self) -> String {
        format!("{} {} {}", self.program, self.image.as_ref().unwrap_or(&self.kind), self.what)
    }
}

/// What a size is called, and where it stands in a row.
type Size = (&'static str, fn(&SizeRow) -> Option<u64>);

/// Every size of both runs, in the order of run A, then what only run B has.
pub fn changes([a, b]: [&Manifest; 2]) -> Vec<SizeChange> {
    let (of_a, of_b) = (size_rows(a), size_rows(b));
    let mut all = Vec::new();
    for row in &of_a {
        all.extend(beside(row, [Some(row), of_b.iter().find(|other| same(row, other))]));
    }
    for row in of_b.iter().filter(|row| !of_a.iter().any(|other| same(row, other))) {
        all.extend(beside(row, [None, Some(row)]));
    }
    all
}

fn same(row: &SizeRow, other: &SizeRow) -> bool {
    (&row.program, &row.kind, &row.image) == (&other.program, &other.kind, &other.image)
}

fn beside(named: &SizeRow, [a, b]: [Option<&SizeRow>; 2]) -> Vec<SizeChange> {
    let sizes: [Size; 3] = [
        // The file is the same in every image of its kind.
        ("binary", |row| row.is_default().then_some(row.binary_bytes)),
        ("image pulled", |row| row.image_bytes_compressed),
        ("image unpacked", |row| row.image_bytes_unpacked),
    ];
    let change = |(what, size): Size| {
        let (a_bytes, b_bytes) = (a.and_then(size), b.and_then(size));
        let ratio = a_bytes.zip(b_bytes).filter(|(a, _)| *a > 0).map(|(a, b)| b as f64 / a as f64);
        let (program, kind, image) = (named.program.clone(), named.kind.clone(), named.image.clone());
        SizeChange { program, kind, image, what, a_bytes, b_bytes, ratio }
    };
    sizes.into_iter().map(change).filter(|change| change.a_bytes.is_some() || change.b_bytes.is_some()).collect()
}
