//! From values to pixels, and where the ticks are. A log scale is taken when the values span more than a factor of
//! five, since differences between the small ones would vanish otherwise; the figure says which scale it has.
//!
//! Not here: drawing of what is measured.

use super::{Anchor, Canvas, Ink};
use crate::number::published;

/// How values are spread over the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Equal differences are equally far.
    Linear,
    /// Equal ratios are equally far.
    Log,
}

impl Spread {
    /// The words that stand beside the unit.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Linear => "",
            Self::Log => ", log scale",
        }
    }
}

/// A scale.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// Linear or log.
    pub spread: Spread,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// A scale that holds all values with some air, between two pixels. Values must be finite, for a log scale above
    /// zero; no value at all gives 0 to 1.
    pub fn covering(values: impl Iterator<Item = f64>, pixels: (f64, f64)) -> Self {
        let (least, most) = extremes(values);
        let spread = if least > 0.0 && most / least > 5.0 { Spread::Log } else { Spread::Linear };
        Self::with_air(spread, (least, most), pixels)
    }

    /// A log scale for values above zero; ratios are at home here.
    pub fn log(values: impl Iterator<Item = f64>, pixels: (f64, f64)) -> Self {
        let (least, most) = extremes(values.filter(|value| *value > 0.0));
        if least <= 0.0 {
            return Self::with_air(Spread::Log, (0.5, 2.0), pixels);
        }
        Self::with_air(Spread::Log, (least, most), pixels)
    }

    /// A linear scale that holds all values with some air.
    pub fn linear(values: impl Iterator<Item = f64>, pixels: (f64, f64)) -> Self {
        Self::with_air(Spread::Linear, extremes(values), pixels)
    }

    /// A linear scale from zero: for bars.
    pub fn from_zero(most: f64, (from, to): (f64, f64)) -> Self {
        Self { spread: Spread::Linear, low: 0.0, high: if most > 0.0 { most } else { 1.0 }, from, to }
    }

    fn with_air(spread: Spread, (least, most): (f64, f64), (from, to): (f64, f64)) -> Self {
        let (low, high) = match spread {
            Spread::Linear => {
                let air = if most > least { (most - least) * 0.06 } else { most.abs().max(1.0) * 0.1 };
                let low = least - air;
                (if least >= 0.0 && low < 0.0 { 0.0 } else { low }, most + air)
            }
            Spread::Log => {
                let air = (most / least).powf(0.05).max(1.004);
                (least / air, most * air)
            }
        };
        Self { spread, low, high, from, to }
    }

    /// Where a value is.
    pub fn at(&self, value: f64) -> f64 {
        let share = match self.spread {
            Spread::Linear => (value - self.low) / (self.high - self.low),
            Spread::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        self.from + share.clamp(-0.02, 1.02) * (self.to - self.from)
    }

    /// A value's place, at most at the ends of the scale.
    pub fn within(&self, value: f64) -> f64 {
        self.at(value.clamp(self.low, self.high))
    }

    /// About `count` round values within the scale.
    pub fn ticks(&self, count: f64) -> Vec<f64> {
        if self.spread == Spread::Log && self.high / self.low > 8.0 {
            let decades = (self.high / self.low).log10();
            let within = |multiples: &[f64]| self.decades(multiples);
            return match decades / count {
                density if density < 0.3 => within(&[1.0, 2.0, 3.0, 5.0]),
                density if density < 0.45 => within(&[1.0, 2.0, 5.0]),
                density if density < 0.6 => within(&[1.0, 3.0]),
                _ => within(&[1.0]),
            };
        }
        let step = nice((self.high - self.low) / count);
        let first = (self.low / step).ceil();
        let mut ticks = Vec::new();
        let mut index = 0.0;
        while (first + index) * step <= self.high && ticks.len() < 20 {
            ticks.push((first + index) * step);
            index += 1.0;
        }
        ticks
    }

    fn decades(&self, multiples: &[f64]) -> Vec<f64> {
        let mut ticks = Vec::new();
        let mut decade = 10_f64.powf(self.low.log10().floor());
        while decade <= self.high {
            ticks.extend(multiples.iter().map(|m| m * decade).filter(|t| (self.low..=self.high).contains(t)));
            decade *= 10.0;
        }
        ticks
    }

    /// Vertical grid lines between two heights.
    pub fn draw_grid(&self, canvas: &mut Canvas, (top, bottom): (f64, f64)) {
        for tick in self.ticks(6.0) {
            let x = self.at(tick);
            canvas.line(((x, top), (x, bottom)), Ink::Grid, 1.0);
        }
    }

    /// The values of the grid lines below `bottom`, as many as have room, and the unit.
    pub fn draw_values(&self, canvas: &mut Canvas, bottom: f64, unit: &str) {
        let mut last = f64::MIN;
        for tick in self.ticks(6.0) {
            let x = self.at(tick);
            let label = tick_label(tick);
            let half = label.chars().count() as f64 * 3.4;
            if x - half > last {
                canvas.text((x, bottom + 10.0), &label, (Ink::Muted, Anchor::Middle));
                last = x + half;
            }
        }
        let words = format!("{unit}{}", self.spread.words());
        canvas.text((f64::midpoint(self.from, self.to), bottom + 25.0), &words, (Ink::Muted, Anchor::Middle));
    }
}

/// A tick's value without the dust of binary fractions; from 10,000 on in thousands (k) and millions (M).
pub fn tick_label(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => published(value / 1e6) + "M",
        size if size >= 1e4 => published(value / 1e3) + "k",
        _ => published(value),
    }
}

fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    if least <= most { (least, most) } else { (0.0, 1.0) }
}

/// The next 1, 2, 2.5 or 5 times a power of ten.
fn nice(step: f64) -> f64 {
    let decade = 10_f64.powf(step.log10().floor());
    let multiple = [1.0, 2.0, 2.5, 5.0].into_iter().find(|multiple| multiple * decade >= step * 0.9).unwrap_or(10.0);
    multiple * decade
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks(6.0).into_iter().map(tick_label).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::covering([150.0, 420.0].into_iter(), (0.0, 400.0));
        assert_eq!(axis.spread, Spread::Linear);
        assert_eq!(labels(&axis), ["150", "200", "250", "300", "350", "400"]);
        let axis = Axis::covering([0.6, 480.0].into_iter(), (0.0, 400.0));
        assert_eq!(axis.spread, Spread::Log);
        assert_eq!(labels(&axis), ["1", "3", "10", "30", "100", "300"]);
        let axis = Axis::log([0.98, 1.17].into_iter(), (0.0, 400.0));
        assert_eq!(labels(&axis), ["1", "1.05", "1.1", "1.15"]);
        let axis = Axis::log([1e3, 1e6].into_iter(), (0.0, 400.0));
        assert_eq!(labels(&axis), ["1000", "3000", "10k", "30k", "100k", "300k", "1M"]);
    }

    #[test]
    fn one_value_or_none_has_a_scale_too() {
        for values in [vec![], vec![0.0], vec![5.0, 5.0], vec![f64::NAN]] {
            let axis = Axis::covering(values.into_iter(), (0.0, 100.0));
            assert!(axis.at(5.0).is_finite() && !axis.ticks(4.0).is_empty());
        }
        assert!(Axis::log([1.0].into_iter(), (0.0, 1.0)).at(1.0).is_finite());
        assert!(Axis::log([].into_iter(), (0.0, 1.0)).at(1.0).is_finite());
    }

    #[test]
    fn the_ends_of_the_pixels_hold_the_ends_of_the_values() {
        let axis = Axis::covering([10.0, 20.0].into_iter(), (100.0, 200.0));
        assert!(axis.at(10.0) > 100.0 && axis.at(20.0) < 200.0 && axis.at(10.0) < axis.at(20.0));
    }
}
