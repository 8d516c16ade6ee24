//! From what `results/claims.toml` says to checked claims.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail, ensure};

use super::setting::{NOT_SEEN, Seen, Setting, Shape};
use super::{Bytes, Claim, Packed, Pair, Test};
use crate::case::{Case, Kind, Mode};
use crate::names::Names;

use figures::readings;
use format::{Arms, File, Quantity, SettingPart, Sort, Wire, WireBytes, WireSource};

mod figures;
mod format;

/// What stands in front of what an untested claim needs.
const UNTESTED: &str = "untested: needs ";

/// The claims of a text.
pub(super) fn parse(text: &str, cases: &[Case]) -> anyhow::Result<Vec<Claim>> {
    let file: File = toml::from_str(text)?;
    for (index, wire) in file.claim.iter().enumerate() {
        ensure!(!file.claim[..index].iter().any(|other| other.id == wire.id), "two claims have the id `{}`", wire.id);
    }
    for (index, source) in file.source.iter().enumerate() {
        ensure!(
            !file.source[..index].iter().any(|other| other.id == source.id),
            "two sources have the id `{}`",
            source.id
        );
        checked_source(source).with_context(|| format!("source `{}`", source.id))?;
    }
    let known = Known { file: &file, cases };
    file.claim.iter().map(|wire| check(wire, &known).with_context(|| format!("claim `{}`", wire.id))).collect()
}

fn checked_source(source: &WireSource) -> anyhow::Result<()> {
    ensure!(!source.name.trim().is_empty(), "`name` is empty");
    checked_setting(&source.setting, source.seen)
}

fn checked_setting(setting: &Setting, seen: Seen) -> anyhow::Result<()> {
    for (name, text) in setting.items() {
        ensure!(!text.trim().is_empty(), "`{name}` of the setting is empty: say what it was, or \"not published\"");
        ensure!(
            text != NOT_SEEN || seen != Seen::Source,
            "`{name}` of the setting is \"not seen\", and the source itself was: say \"not published\""
        );
    }
    Ok(())
}

/// What a claim may name.
struct Known<'a> {
    file: &'a File,
    cases: &'a [Case],
}

impl Known<'_> {
    fn case(&self, name: &str) -> anyhow::Result<Case> {
        let found = self.cases.iter().find(|case| case.name == name).cloned();
        let known = || self.cases.iter().map(ToString::to_string).collect();
        Ok(found.ok_or_else(|| Names { one: "case", several: "cases", known: known() }.unknown(name))?)
    }

    fn packed(&self, name: &str) -> anyhow::Result<Packed> {
        let images = self.cases.iter().filter_map(|case| case.image.as_deref());
        let known: BTreeSet<&str> = images.chain(Kind::ALL.map(Kind::name)).collect();
        if known.contains(name) {
            return Ok(Packed { name: name.to_owned() });
        }
        let known = known.into_iter().map(str::to_owned).collect();
        Err(Names { one: "image", several: "images", known }.unknown(name).into())
    }
}

fn check(wire: &Wire, known: &Known<'_>) -> anyhow::Result<Claim> {
    ensure!(!wire.what.trim().is_empty(), "`what` is empty");
    let Some(source) = known.file.source.iter().find(|source| source.id == wire.source) else {
        bail!("no `[[source]]` has the id `{}`", wire.source)
    };
    let test = test(wire, known)?;
    refuse_foreign_keys(wire, &test)?;
    let setting = setting(&source.setting, &wire.setting);
    checked_setting(&setting, source.seen)?;
    let claim = Claim {
        id: wire.id.clone(),
        source: source.name.clone(),
        seen: source.seen,
        what: wire.what.clone(),
        wording: wire.wording.clone(),
        setting,
        shape: wire.shape,
        unit: wire.quantity.unit(),
        readings: readings(wire, known)?,
        bench: wire.bench.clone().unwrap_or_default(),
        explained_by: explained_by(wire, &test, known).context("`explained_by`")?,
        test,
        unlike: wire.unlike.clone(),
        withdrawn: wire.withdrawn.clone(),
        is_central: wire.central,
        note: wire.note.clone(),
    };
    ensure!(
        !claim.bench.is_empty() != matches!(claim.test, Test::Absent { .. }),
        "`bench` names the bench that tests it, and is there where something does"
    );
    checked_shape(&claim)?;
    Ok(claim)
}

fn setting(source: &Setting, own: &SettingPart) -> Setting {
    let either = |own: &Option<String>, source: &str| own.clone().unwrap_or_else(|| source.to_owned());
    Setting {
        engine: either(&own.engine, &source.engine),
        mode: either(&own.mode, &source.mode),
        orchestrator: either(&own.orchestrator, &source.orchestrator),
        hardware: either(&own.hardware, &source.hardware),
        n: either(&own.n, &source.n),
        what_is_timed: either(&own.what_is_timed, &source.what_is_timed),
    }
}

/// A native container against a module's process is a crossing, and nothing else is.
fn checked_shape(claim: &Claim) -> anyhow::Result<()> {
    let (Test::Ratio { pair, .. } | Test::Slopes { pair }) = &claim.test else { return Ok(()) };
    let is_native = |case: &Case| case.mode == Mode::Native;
    let Pair { case, baseline } = pair;
    let crosses = case.is_container() != baseline.is_container() && is_native(case) != is_native(baseline);
    let shape = if crosses { Shape::Crossing } else { Shape::Same };
    ensure!(
        claim.shape == shape,
        "`{case}` over `{baseline}` is {} crossing of native container and Wasm process, `shape` says otherwise",
        if crosses { "a" } else { "no" }
    );
    Ok(())
}

/// What of ours tests it.
fn test(wire: &Wire, known: &Known<'_>) -> anyhow::Result<Test> {
    if let Some(status) = &wire.status {
        let needs = status.strip_prefix(UNTESTED).filter(|needs| !needs.trim().is_empty());
        let needs = needs.with_context(|| format!("`status` is `{status}`: expected `{UNTESTED}…`"))?;
        return Ok(Test::Absent { needs: needs.to_owned() });
    }
    let (metric, divisor) = wire.quantity.metric();
    let metric = wire.metric.clone().unwrap_or_else(|| metric.to_owned());
    match wire.quantity.sort() {
        Sort::Foreign => bail!("nothing here measures it: say so with `status = \"{UNTESTED}…\"`"),
        Sort::Size => {
            let kind = wire.kind.with_context(|| format!("a size needs `kind`: {}", crate::case::names(&Kind::ALL)))?;
            let binary = (wire.quantity == Quantity::BinaryKb).then_some(Bytes::Binary);
            Ok(Test::Size { of: Packed { name: kind.name().to_owned() }, bytes: binary })
        }
        Sort::SizeQuotient => {
            let part = |key: &str, name: Option<&String>| {
                let name = name.with_context(|| format!("a ratio of sizes needs `{key}`: a kind or an image"))?;
                known.packed(name).with_context(|| format!("`{key}`"))
            };
            let bytes = match wire.bytes.context("a ratio of sizes needs `bytes`: what of the images is counted")? {
                WireBytes::Binary => Some(Bytes::Binary),
                WireBytes::Compressed => Some(Bytes::Compressed),
                WireBytes::Unpacked => Some(Bytes::Unpacked),
                WireBytes::Image => None,
            };
            Ok(Test::Sizes { of: part("of", wire.of.as_ref())?, over: part("over", wire.over.as_ref())?, bytes })
        }
        Sort::Value => Ok(Test::Value { case: timed_case(wire, known)?, metric, divisor }),
        Sort::Quotient => {
            let (above, below) = operands(wire, known)?;
            let pair = Pair { case: timed_case(above, known)?, baseline: timed_case(below, known)? };
            Ok(Test::Ratio { metric: above.quantity.metric().0.to_owned(), pair })
        }
        Sort::MetricQuotient => Ok(Test::Ratio { metric, pair: pair(wire, known)? }),
        Sort::SlopeQuotient => Ok(Test::Slopes { pair: pair(wire, known)? }),
    }
}

fn pair(wire: &Wire, known: &Known<'_>) -> anyhow::Result<Pair> {
    let part = |key: &str, name: Option<&String>| {
        let name = name.with_context(|| format!("a ratio needs `{key}`: a case of ours, or `status`"))?;
        known.case(name).with_context(|| format!("`{key}`"))
    };
    Ok(Pair { case: part("of", wire.of.as_ref())?, baseline: part("over", wire.over.as_ref())? })
}

fn timed_case(wire: &Wire, known: &Known<'_>) -> anyhow::Result<Case> {
    let name = wire.case.as_deref().context("a measured value needs `case`: the case of ours to put beside it")?;
    let case = known.case(name)?;
    let wanted = match wire.quantity {
        Quantity::ProcessMs => Some(false),
        Quantity::ContainerMs => Some(true),
        _ => None,
    };
    ensure!(
        wanted.is_none_or(|container| container == case.is_container()),
        "`{case}` is {} container, `quantity` says otherwise",
        if case.is_container() { "a" } else { "no" }
    );
    Ok(case)
}

/// The two claims of which a ratio is the quotient.
fn operands<'a>(wire: &Wire, known: &Known<'a>) -> anyhow::Result<(&'a Wire, &'a Wire)> {
    let part = |key: &str, id: Option<&String>| -> anyhow::Result<&'a Wire> {
        let id = id.with_context(|| format!("a ratio needs `{key}`: the id of a claim about a measured value"))?;
        let Some(other) = known.file.claim.iter().find(|other| other.id == *id) else {
            bail!("`{key}`: no claim has the id `{id}`")
        };
        ensure!(other.quantity.sort() == Sort::Value, "`{key}`: claim `{id}` is not about a measured value");
        Ok(other)
    };
    let (above, below) = (part("numerator", wire.numerator.as_ref())?, part("denominator", wire.denominator.as_ref())?);
    let alike = above.quantity.metric().0 == below.quantity.metric().0;
    ensure!(alike, "`numerator` and `denominator` are not of one quantity");
    Ok((above, below))
}

fn explained_by(wire: &Wire, test: &Test, known: &Known<'_>) -> anyhow::Result<Vec<Pair>> {
    match &wire.explained_by {
        Arms::One(name) => {
            let case = known.case(name)?;
            let baseline = match test {
                Test::Ratio { pair, .. } | Test::Slopes { pair } => pair.baseline.clone(),
                // Beside a time the arm is a time too.
                _ => case.clone(),
            };
            Ok(vec![Pair { case, baseline }])
        }
        Arms::Pairs(pairs) => pairs
            .iter()
            .map(|pair| Ok(Pair { case: known.case(&pair.of)?, baseline: known.case(&pair.over)? }))
            .collect(),
    }
}

/// Keys that mean nothing for the quantity: said, not ignored.
fn refuse_foreign_keys(wire: &Wire, test: &Test) -> anyhow::Result<()> {
    let sort = wire.quantity.sort();
    let absent = matches!(test, Test::Absent { .. });
    let pairs = matches!(sort, Sort::SizeQuotient | Sort::MetricQuotient | Sort::SlopeQuotient) && !absent;
    let has_arms = !matches!(&wire.explained_by, Arms::Pairs(pairs) if pairs.is_empty());
    let is_value = sort == Sort::Value;
    let single = wire.value.is_some() || wire.readings.iter().any(|reading| reading.value.is_some());
    let keys = [
        ("kind", wire.kind.is_some(), sort == Sort::Size),
        ("withdrawn", wire.withdrawn.is_some(), sort == Sort::Size),
        ("central", wire.central, matches!(sort, Sort::Size | Sort::Value)),
        ("case", wire.case.is_some(), is_value && !absent),
        ("of", wire.of.is_some(), pairs),
        ("over", wire.over.is_some(), pairs),
        ("bytes", wire.bytes.is_some(), sort == Sort::SizeQuotient && !absent),
        ("metric", wire.metric.is_some(), matches!(sort, Sort::Value | Sort::MetricQuotient) && !absent),
        ("tolerance", wire.tolerance.is_some(), (single && !is_value) || sort == Sort::Quotient),
        ("direction", wire.direction.is_some(), sort != Sort::Size && !is_value),
        ("numerator", wire.numerator.is_some(), sort == Sort::Quotient),
        ("denominator", wire.denominator.is_some(), sort == Sort::Quotient),
        ("explained_by", has_arms, !matches!(sort, Sort::Size | Sort::SizeQuotient | Sort::Foreign) && !absent),
    ];
    for (key, present, allowed) in keys {
        ensure!(!present || allowed, "`{key}` means nothing for this `quantity`");
    }
    Ok(())
}
