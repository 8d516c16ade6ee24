//! What was published, as something that can be held against a number: a figure with a tolerance, a range, a bound, or only
//! a direction.
//!
//! Not here: where ours comes from (`evidence`), and what is said about it (`judge`).

use serde::{Deserialize, Serialize};

/// A published figure in one reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// One number, which counts as reproduced within a factor.
    About {
        /// As published.
        value: f64,
        /// The factor.
        tolerance: Tolerance,
    },
    /// "11 to 78 %".
    Between {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// "up to 30 times": between none at all, which is 1, and the figure, whichever of the two is greater.
    UpTo(f64),
    /// "at least ten times".
    AtLeast(f64),
    /// Only which side is larger.
    Direction(Direction),
}

/// Which side is larger, where no figure was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Above 1 by more than the run's margin.
    Larger,
    /// Below 1 by more than the run's margin.
    Smaller,
    /// Not below 1 by more than the run's margin.
    NotSmaller,
}

/// A factor of at least 1: 1.25 holds everything from 1/1.25 to 1.25 times the figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance(pub(super) f64);

impl Tolerance {
    /// The factor.
    pub fn factor(self) -> f64 {
        self.0
    }
}

/// What counts as reproduced; an end that is absent is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The lower end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// Ours, in the figure's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ours {
    /// The number.
    pub value: f64,
    /// The ends of its interval; both the number itself where that is exact.
    pub ends: [f64; 2],
    /// The margin below which this run calls a difference none: what a direction has to exceed.
    pub margin: f64,
}

/// Where ours lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Wholly within what counts as reproduced.
    Within,
    /// Wholly outside.
    Outside,
    /// Across an end of it.
    Across,
}

impl Figure {
    /// The number as published; absent for a range and a direction.
    pub fn published(self) -> Option<f64> {
        match self {
            Self::About { value, .. } | Self::UpTo(value) | Self::AtLeast(value) => Some(value),
            Self::Between { .. } | Self::Direction(_) => None,
        }
    }

    /// What counts as reproduced, where a difference of so much is called none.
    pub fn bounds(self, margin: f64) -> Bounds {
        let both = |low, high| Bounds { low: Some(low), high: Some(high) };
        match self {
            Self::About { value, tolerance } => both(value / tolerance.factor(), value * tolerance.factor()),
            Self::Between { low, high } => both(low, high),
            Self::UpTo(value) => both(value.min(1.0), value.max(1.0)),
            Self::AtLeast(value) => Bounds { low: Some(value), high: None },
            Self::Direction(Direction::Larger) => Bounds { low: Some(1.0 + margin), high: None },
            Self::Direction(Direction::Smaller) => Bounds { low: None, high: Some(1.0 - margin) },
            Self::Direction(Direction::NotSmaller) => Bounds { low: Some(1.0 - margin), high: None },
        }
    }

    /// Where ours lies with its whole interval.
    pub fn holds(self, ours: Ours) -> Found {
        let Bounds { low, high } = self.bounds(ours.margin);
        let (low, high) = (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
        if ours.ends[0] >= low && ours.ends[1] <= high {
            Found::Within
        } else if ours.ends[1] < low || ours.ends[0] > high {
            Found::Outside
        } else {
            Found::Across
        }
    }

    /// Ours beside it, in words.
    pub fn beside(self, ours: Ours) -> String {
        let range = |low, high| format!("{} to {}", shown(low), shown(high));
        match self {
            Self::About { value, .. } => times(ours.value, value),
            Self::Between { low, high } => {
                format!("{} {}", where_it_lies(ours, [low, high]), range(low, high))
            }
            Self::UpTo(value) => {
                let (low, high) = (value.min(1.0), value.max(1.0));
                format!("{} {}, which is how \"up to\" is read", where_it_lies(ours, [low, high]), range(low, high))
            }
            Self::AtLeast(value) => format!("beside at least {}", shown(value)),
            Self::Direction(direction) => {
                format!("beside \"{}\", with a margin of {} %", direction.in_words(), shown(ours.margin * 100.0))
            }
        }
    }
}

impl Direction {
    /// What it says of the ratio.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Larger => "larger",
            Self::Smaller => "smaller",
            Self::NotSmaller => "not smaller",
        }
    }
}

fn where_it_lies(ours: Ours, [low, high]: [f64; 2]) -> &'static str {
    if ours.value < low {
        "below the published"
    } else if ours.value > high {
        "above the published"
    } else {
        "within the published"
    }
}

/// Ours over the published figure, both above 0.
fn times(ours: f64, published: f64) -> String {
    let factor = (ours / published).max(published / ours);
    let direction = if ours < published { "smaller" } else { "larger" };
    if factor < 1.005 {
        "equal to the published figure".to_owned()
    } else {
        format!("{} times {direction} than published", shown(factor))
    }
}

/// Three significant figures, without an exponent.
pub(super) fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.1 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(low: f64, high: f64) -> Ours {
        Ours { value: f64::midpoint(low, high), ends: [low, high], margin: 0.02 }
    }

    #[test]
    fn up_to_is_between_nothing_and_the_figure_on_either_side_of_one() {
        let (times, percent) = (Figure::UpTo(30.0), Figure::UpTo(0.84));
        assert_eq!(times.holds(ours(3.9, 4.1)), Found::Within);
        assert_eq!(times.holds(ours(31.0, 33.0)), Found::Outside);
        assert_eq!(times.holds(ours(0.5, 0.6)), Found::Outside);
        assert_eq!(times.holds(ours(29.0, 31.0)), Found::Across);
        assert_eq!(percent.holds(ours(0.85, 0.95)), Found::Within);
        assert_eq!(percent.holds(ours(0.7, 0.8)), Found::Outside);
        assert_eq!(percent.holds(ours(1.1, 1.2)), Found::Outside);
    }

    #[test]
    fn a_direction_has_to_exceed_the_margin() {
        let larger = Figure::Direction(Direction::Larger);
        assert_eq!(larger.holds(ours(1.03, 1.2)), Found::Within);
        assert_eq!(larger.holds(ours(0.99, 1.01)), Found::Outside);
        assert_eq!(larger.holds(ours(1.0, 1.2)), Found::Across);
        let not_smaller = Figure::Direction(Direction::NotSmaller);
        assert_eq!(not_smaller.holds(ours(0.99, 1.01)), Found::Within);
        assert_eq!(not_smaller.holds(ours(0.7, 0.8)), Found::Outside);
        assert_eq!(Figure::Direction(Direction::Smaller).holds(ours(0.7, 0.8)), Found::Within);
    }

    #[test]
    fn ranges_and_bounds_are_held_as_published() {
        let between = Figure::Between { low: 0.22, high: 0.89 };
        assert_eq!(between.holds(ours(0.3, 0.4)), Found::Within);
        assert_eq!(between.holds(ours(0.9, 0.95)), Found::Outside);
        assert_eq!(Figure::AtLeast(10.0).holds(ours(11.0, 500.0)), Found::Within);
        assert_eq!(Figure::AtLeast(10.0).holds(ours(9.0, 9.5)), Found::Outside);
        let about = Figure::About { value: 10.0, tolerance: Tolerance(1.5) };
        assert_eq!(about.holds(ours(7.0, 14.0)), Found::Within);
        assert_eq!(about.holds(ours(6.0, 7.0)), Found::Across);
        assert_eq!(about.holds(ours(2.0, 3.0)), Found::Outside);
    }
}
