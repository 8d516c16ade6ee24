//! The figures of a claim: exactly one way to say each.

use anyhow::{Context as _, bail, ensure};

use super::format::{Sort, Wire, WireReading};
use super::{Known, operands};
use crate::claims::Reading;
use crate::claims::figure::{Direction, Figure, Tolerance};

/// What a table says of a figure.
struct Said {
    value: Option<f64>,
    range: [Option<f64>; 2],
    up_to: Option<f64>,
    at_least: Option<f64>,
    direction: Option<Direction>,
}

pub(super) fn readings(wire: &Wire, known: &Known<'_>) -> anyhow::Result<Vec<Reading>> {
    let said = Said {
        value: wire.value,
        range: [wire.low, wire.high],
        up_to: wire.up_to,
        at_least: wire.at_least,
        direction: wire.direction,
    };
    let one = |figure| vec![Reading { meaning: String::new(), figure }];
    if wire.quantity.sort() == Sort::Quotient {
        ensure!(said.is_empty() && wire.readings.is_empty(), "a ratio of two claims follows from them");
        let (above, below) = operands(wire, known)?;
        return Ok(one(Some(Figure::About { value: value(above)? / value(below)?, tolerance: tolerance(wire)? })));
    }
    if wire.readings.is_empty() {
        ensure!(
            !said.is_empty() || wire.unlike.is_some(),
            "it has no figure: `value`, `low` and `high`, `up_to`, `at_least` or `direction`"
        );
        return Ok(one(if said.is_empty() { None } else { Some(said.figure(wire)?) }));
    }
    ensure!(said.is_empty(), "it has `readings` and a figure beside them");
    ensure!(wire.readings.len() > 1, "one of `readings` is a figure: say it without them");
    let reading = |reading: &WireReading| {
        ensure!(!reading.meaning.trim().is_empty(), "`meaning` of a reading is empty");
        let said = Said {
            value: reading.value,
            range: [reading.low, reading.high],
            up_to: reading.up_to,
            at_least: reading.at_least,
            direction: None,
        };
        Ok(Reading { meaning: reading.meaning.clone(), figure: Some(said.figure(wire)?) })
    };
    wire.readings.iter().map(reading).collect()
}

impl Said {
    fn is_empty(&self) -> bool {
        let figures = [self.value, self.range[0], self.range[1], self.up_to, self.at_least];
        figures.iter().all(Option::is_none) && self.direction.is_none()
    }

    fn figure(&self, wire: &Wire) -> anyhow::Result<Figure> {
        match (self.value, self.range, self.up_to, self.at_least, self.direction) {
            (Some(value), [None, None], None, None, None) => {
                // What is not judged has nothing to be tolerated.
                let judged = wire.quantity.sort() != Sort::Value && wire.status.is_none() && wire.unlike.is_none();
                let tolerance = if judged { tolerance(wire)? } else { Tolerance(1.0) };
                Ok(Figure::About { value: above_zero("value", value)?, tolerance })
            }
            (None, [Some(low), Some(high)], None, None, None) => {
                let (low, high) = (above_zero("low", low)?, above_zero("high", high)?);
                ensure!(low < high, "`low` is {low} and `high` is {high}");
                Ok(Figure::Between { low, high })
            }
            (None, [None, None], Some(value), None, None) => Ok(Figure::UpTo(above_zero("up_to", value)?)),
            (None, [None, None], None, Some(value), None) => Ok(Figure::AtLeast(above_zero("at_least", value)?)),
            (None, [None, None], None, None, Some(direction)) => Ok(Figure::Direction(direction)),
            _ => bail!("one figure is wanted: `value`, or `low` and `high`, or `up_to`, `at_least` or `direction`"),
        }
    }
}

fn value(wire: &Wire) -> anyhow::Result<f64> {
    above_zero("value", wire.value.context("`value` is missing")?).with_context(|| format!("claim `{}`", wire.id))
}

fn above_zero(key: &str, value: f64) -> anyhow::Result<f64> {
    ensure!(value > 0.0 && value <= 1e15, "`{key}` is {value}: it must be above 0");
    Ok(value)
}

fn tolerance(wire: &Wire) -> anyhow::Result<Tolerance> {
    let factor = wire.tolerance.context("`tolerance` is missing: the factor within which it counts as reproduced")?;
    ensure!((1.0..=1000.0).contains(&factor), "`tolerance` is {factor}: it must be a factor of at least 1");
    Ok(Tolerance(factor))
}
