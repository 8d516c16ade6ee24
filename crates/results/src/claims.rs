//! Published figures as data: `results/claims.toml` becomes checked [`Claim`]s.
//!
//! Wire types (what TOML may say) are apart from inner types (what the program may rely on). [`parse`] is
//! pure, [`load`] reads. What this run says about a claim is `claims::judge`'s.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::case::{Case, Kind, names};
use crate::names::Names;

pub mod judge;

/// One published figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Who published it, and when.
    pub source: String,
    /// What is claimed, in words.
    pub what: String,
    /// The bench of ours that it is put beside.
    pub bench: String,
    /// What is known about it; may be empty.
    pub note: String,
    /// The figure.
    pub statement: Statement,
}

/// What a claim says, and which rows of ours it is put beside.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a dozen claims are no place to save memory")]
pub enum Statement {
    /// The size of the file.
    Binary(Size),
    /// The size of the image, compressed or unpacked: which one was not published.
    Image(Size),
    /// The size of an image, withdrawn by its author.
    WithdrawnImage {
        /// As published.
        size: Size,
        /// The day, as in the data.
        on: String,
    },
    /// A time on another machine.
    Time {
        /// Our case that is most like it.
        case: Case,
        /// As published.
        milliseconds: f64,
        /// The case that shows what the difference is made of.
        explained_by: Option<Case>,
    },
    /// The ratio of two times on one machine.
    Ratio {
        /// Above the line.
        case: Case,
        /// Below it.
        baseline: Case,
        /// As published: the quotient of the two figures.
        ratio: f64,
        /// Within it the ratio counts as reproduced.
        tolerance: Tolerance,
        /// The case that shows what the difference is made of.
        explained_by: Option<Case>,
    },
}

/// A published size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Of what.
    pub kind: Kind,
    /// Thousands of bytes.
    pub kilobytes: f64,
    /// Within it the size counts as reproduced.
    pub tolerance: Tolerance,
}

/// A factor of at least 1: 1.25 holds everything from 1/1.25 to 1.25 times the figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance(f64);

impl Tolerance {
    /// The factor.
    pub fn factor(self) -> f64 {
        self.0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    claim: Vec<Wire>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    id: String,
    source: String,
    what: String,
    quantity: Quantity,
    bench: String,
    value: Option<f64>,
    kind: Option<Kind>,
    case: Option<String>,
    tolerance: Option<f64>,
    numerator: Option<String>,
    denominator: Option<String>,
    explained_by: Option<String>,
    withdrawn: Option<String>,
    #[serde(default)]
    note: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Quantity {
    BinaryKb,
    ImageKb,
    ProcessMs,
    ContainerMs,
    Ratio,
}

/// Reads and checks the claims of a file.
///
/// # Errors
/// When it can not be read, or says something that [`parse`] refuses.
pub fn load(path: &Path, cases: &[Case]) -> anyhow::Result<Vec<Claim>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can not read `{}`", path.display()))?;
    parse(&text, cases).with_context(|| format!("`{}` is not a list of claims", path.display()))
}

/// The claims that a TOML text defines, in its order.
///
/// # Errors
/// With line, column and what was expected, for unknown or missing keys; with the claim's id for keys that
/// its quantity does not have or lacks, unknown cases (the known ones are listed) and ids, and for figures
/// that are not above 0.
pub fn parse(text: &str, cases: &[Case]) -> anyhow::Result<Vec<Claim>> {
    let file: File = toml::from_str(text)?;
    for (index, wire) in file.claim.iter().enumerate() {
        ensure!(!file.claim[..index].iter().any(|other| other.id == wire.id), "two claims have the id `{}`", wire.id);
    }
    let known = Known { claims: &file.claim, cases };
    file.claim.iter().map(|wire| check(wire, &known).with_context(|| format!("claim `{}`", wire.id))).collect()
}

/// What a claim may name.
struct Known<'a> {
    claims: &'a [Wire],
    cases: &'a [Case],
}

impl Known<'_> {
    fn case(&self, name: &str) -> anyhow::Result<Case> {
        let found = self.cases.iter().find(|case| case.name == name).cloned();
        let known = || self.cases.iter().map(ToString::to_string).collect();
        Ok(found.ok_or_else(|| Names { one: "case", several: "cases", known: known() }.unknown(name))?)
    }
}

fn check(wire: &Wire, known: &Known<'_>) -> anyhow::Result<Claim> {
    for (key, text) in [("source", &wire.source), ("what", &wire.what), ("bench", &wire.bench)] {
        ensure!(!text.trim().is_empty(), "`{key}` is empty");
    }
    refuse_foreign_keys(wire)?;
    let statement = match wire.quantity {
        Quantity::BinaryKb => Statement::Binary(size(wire)?),
        Quantity::ImageKb => match &wire.withdrawn {
            Some(on) => Statement::WithdrawnImage { size: size(wire)?, on: on.clone() },
            None => Statement::Image(size(wire)?),
        },
        Quantity::ProcessMs | Quantity::ContainerMs => {
            let (case, milliseconds) = time(wire, known)?;
            Statement::Time { case, milliseconds, explained_by: explained_by(wire, known)? }
        }
        Quantity::Ratio => ratio(wire, known)?,
    };
    Ok(Claim {
        source: wire.source.clone(),
        what: wire.what.clone(),
        bench: wire.bench.clone(),
        note: wire.note.clone(),
        statement,
    })
}

/// Keys that mean nothing for the quantity: said, not ignored.
fn refuse_foreign_keys(wire: &Wire) -> anyhow::Result<()> {
    let size = matches!(wire.quantity, Quantity::BinaryKb | Quantity::ImageKb);
    let time = matches!(wire.quantity, Quantity::ProcessMs | Quantity::ContainerMs);
    let ratio = wire.quantity == Quantity::Ratio;
    let keys = [
        ("kind", wire.kind.is_some(), size),
        ("withdrawn", wire.withdrawn.is_some(), wire.quantity == Quantity::ImageKb),
        ("case", wire.case.is_some(), time),
        ("value", wire.value.is_some(), size || time),
        ("tolerance", wire.tolerance.is_some(), size || ratio),
        ("numerator", wire.numerator.is_some(), ratio),
        ("denominator", wire.denominator.is_some(), ratio),
        ("explained_by", wire.explained_by.is_some(), time || ratio),
    ];
    for (key, present, allowed) in keys {
        ensure!(!present || allowed, "`{key}` means nothing for this `quantity`");
    }
    Ok(())
}

fn size(wire: &Wire) -> anyhow::Result<Size> {
    let kind = wire.kind.with_context(|| format!("a size needs `kind`: {}", names(&Kind::ALL)))?;
    Ok(Size { kind, kilobytes: value(wire)?, tolerance: tolerance(wire)? })
}

fn time(wire: &Wire, known: &Known<'_>) -> anyhow::Result<(Case, f64)> {
    let name = wire.case.as_deref().context("a time needs `case`: the case of ours to put beside it")?;
    let case = known.case(name)?;
    let container = wire.quantity == Quantity::ContainerMs;
    ensure!(
        case.is_container() == container,
        "`{case}` is {} container, `quantity` says otherwise",
        if container { "no" } else { "a" }
    );
    Ok((case, value(wire)?))
}

fn ratio(wire: &Wire, known: &Known<'_>) -> anyhow::Result<Statement> {
    let part = |key: &str, id: Option<&String>| -> anyhow::Result<(Case, f64)> {
        let id = id.with_context(|| format!("a ratio needs `{key}`: the id of a claim about a time"))?;
        let Some(other) = known.claims.iter().find(|other| other.id == *id) else {
            bail!("`{key}`: no claim has the id `{id}`")
        };
        ensure!(
            matches!(other.quantity, Quantity::ProcessMs | Quantity::ContainerMs),
            "`{key}`: claim `{id}` is not about a time"
        );
        time(other, known).with_context(|| format!("claim `{id}`"))
    };
    let (case, above) = part("numerator", wire.numerator.as_ref())?;
    let (baseline, below) = part("denominator", wire.denominator.as_ref())?;
    Ok(Statement::Ratio {
        case,
        baseline,
        ratio: above / below,
        tolerance: tolerance(wire)?,
        explained_by: explained_by(wire, known)?,
    })
}

fn explained_by(wire: &Wire, known: &Known<'_>) -> anyhow::Result<Option<Case>> {
    wire.explained_by.as_deref().map(|name| known.case(name)).transpose().context("`explained_by`")
}

fn value(wire: &Wire) -> anyhow::Result<f64> {
    let value = wire.value.context("`value` is missing")?;
    ensure!(value > 0.0 && value <= 1e15, "`value` is {value}: it must be above 0");
    Ok(value)
}

fn tolerance(wire: &Wire) -> anyhow::Result<Tolerance> {
    let factor = wire.tolerance.context("`tolerance` is missing: the factor within which it counts as reproduced")?;
    ensure!((1.0..=1000.0).contains(&factor), "`tolerance` is {factor}: it must be a factor of at least 1");
    Ok(Tolerance(factor))
}

#[cfg(test)]
mod tests;
