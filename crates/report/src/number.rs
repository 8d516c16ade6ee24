//! Numbers as people read them: as many digits as the interval supports, units by kB = 1000 bytes, and a dash
//! where there is no number. Not here: any statistic, and any unit in the text (units stand in headers).

/// What stands where there is no number.
pub const NONE: &str = "—";

/// Digits after the point that an interval of this width supports: its width is then 3 to 30 steps of the last
/// digit. Without an interval three significant digits of the value are shown, not more than three decimals.
fn decimals(value: f64, width: Option<f64>) -> usize {
    let most = (0..=5).find(|&digits| value.abs() * pow10(digits) >= 100.0).unwrap_or(5);
    match width {
        Some(width) if width > 0.0 => (0..=most + 2).find(|&digits| width * pow10(digits) >= 3.0).unwrap_or(most),
        _ => most.min(3),
    }
}

/// As many digits as the interval supports, and enough for two significant ones: an interval that is as wide as its value
/// is no reason to show the value as 0.
fn shown(value: f64, decimals: usize) -> String {
    let two = (0..=9).find(|&digits| value.abs() * pow10(digits) >= 10.0).unwrap_or(0);
    fixed(value, decimals.max(two))
}

fn pow10(digits: usize) -> f64 {
    10_f64.powi(i32::try_from(digits).unwrap_or(i32::MAX))
}

/// A number with so many decimals; a dash for what is not finite. From 10,000 on with commas.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let text = format!("{value:.decimals$}");
    let text = if text.trim_start_matches('-').trim_matches(['0', '.']).is_empty() {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    };
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let digits = whole.trim_start_matches('-');
    if digits.len() < 5 {
        return text;
    }
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if whole.starts_with('-') { "-" } else { "" };
    fraction.map_or_else(|| format!("{sign}{grouped}"), |fraction| format!("{sign}{grouped}.{fraction}"))
}

/// A number with so many significant digits, without exponent.
pub fn significant(value: f64, digits: usize) -> String {
    let decimals = (0..=6).find(|&d| value.abs() * pow10(d) >= pow10(digits.saturating_sub(1)) - 0.5).unwrap_or(6);
    fixed(value, if value == 0.0 { 0 } else { decimals })
}

/// A value with its interval, all three with the same number of decimals, but at least two significant digits each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rounded {
    /// The value.
    pub value: String,
    /// Both ends of its interval, where there is one.
    pub ends: Option<(String, String)>,
}

impl Rounded {
    /// Rounds by the width of the interval; a missing value is a dash.
    pub fn new(value: Option<f64>, interval: Option<(f64, f64)>) -> Self {
        let Some(value) = value else { return Self { value: NONE.to_owned(), ends: None } };
        let digits = decimals(value, interval.map(|(low, high)| high - low));
        Self {
            value: shown(value, digits),
            ends: interval.map(|(low, high)| (shown(low, digits), shown(high, digits))),
        }
    }

    /// Nanoseconds shown in milliseconds.
    pub fn ms(value_ns: Option<f64>, interval_ns: Option<(f64, f64)>) -> Self {
        Self::new(value_ns.map(|ns| ns / 1e6), interval_ns.map(|(low, high)| (low / 1e6, high / 1e6)))
    }

    /// Nanoseconds with the unit that fits the value: `349 µs [335, 363]`, `118 ms [114, 123]`.
    pub fn time(value_ns: Option<f64>, interval_ns: Option<(f64, f64)>) -> String {
        let (unit, factor) = if value_ns.is_some_and(|ns| ns < 1e6) { ("µs", 1e3) } else { ("ms", 1e6) };
        let ends = interval_ns.map(|(low, high)| (low / factor, high / factor));
        Self::new(value_ns.map(|ns| ns / factor), ends).with_unit(unit)
    }

    /// `[low, high]`, or a dash.
    pub fn brackets(&self) -> String {
        self.ends.as_ref().map_or_else(|| NONE.to_owned(), |(low, high)| format!("[{low}, {high}]"))
    }

    /// `value [low, high]`, or the value alone.
    pub fn with_brackets(&self) -> String {
        match &self.ends {
            Some((low, high)) => format!("{} [{low}, {high}]", self.value),
            None => self.value.clone(),
        }
    }

    /// The same with a unit behind the value: `32.0 kB [31.0, 33.0]`.
    pub fn with_unit(&self, unit: &str) -> String {
        match &self.ends {
            _ if self.value == NONE => self.value.clone(),
            Some((low, high)) => format!("{} {unit} [{low}, {high}]", self.value),
            None => format!("{} {unit}", self.value),
        }
    }

    /// For ratios: `1.31× to 1.38×`; without an interval the value alone, `1.34×`.
    pub fn times(&self) -> String {
        match &self.ends {
            Some((low, high)) => format!("{low}× to {high}×"),
            None if self.value == NONE => NONE.to_owned(),
            None => format!("{}×", self.value),
        }
    }
}

/// Both ends of an interval, when both are there.
pub fn interval(low: Option<f64>, high: Option<f64>) -> Option<(f64, f64)> {
    Some((low?, high?))
}

/// Bytes in kB (1000 bytes).
pub fn kb(bytes: u64) -> String {
    let value = bytes as f64 / 1000.0;
    fixed(value, if value < 10.0 { 2 } else { usize::from(value < 1000.0) })
}

/// A figure as it was published, with no digit more: `477`, `338.5`.
pub fn published(value: f64) -> String {
    let text = format!("{value:.6}");
    let decimals = text.trim_end_matches('0').split_once('.').map_or(0, |(_, fraction)| fraction.len());
    fixed(value, decimals)
}

/// An exact ratio of two sizes, two significant digits: `0.15×`.
pub fn size_ratio(value: f64) -> String {
    if value.is_finite() { format!("{}×", significant(value, 2)) } else { NONE.to_owned() }
}

/// A fraction in percent with two significant digits: `1.2 %`.
pub fn percent(fraction: f64) -> String {
    if fraction.is_finite() { format!("{} %", significant(fraction * 100.0, 2)) } else { NONE.to_owned() }
}

/// A confidence in percent with one decimal: `95.7 %`; whole percents without: `95 %`.
pub fn confidence(fraction: f64) -> String {
    let tenths = (fraction * 1000.0).round();
    format!("{} %", fixed(tenths / 10.0, usize::from(tenths % 10.0 != 0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_width_of_the_interval() {
        let shown = |value, low, high| Rounded::new(Some(value), Some((low, high))).with_brackets();
        assert_eq!(shown(188.34, 186.11, 190.72), "188 [186, 191]");
        assert_eq!(shown(188.34, 187.11, 189.72), "188.3 [187.1, 189.7]");
        assert_eq!(shown(409.1, 391.0, 425.0), "409 [391, 425]");
        assert_eq!(shown(3531.2, 3_100.0, 4_000.0), "3531 [3100, 4000]");
        assert_eq!(Rounded::new(Some(1.345), Some((1.311, 1.379))).times(), "1.31× to 1.38×");
        assert_eq!(Rounded::new(Some(1.345), Some((1.345, 1.345))).times(), "1.34× to 1.34×");
        assert_eq!(Rounded::new(Some(1.347), None).times(), "1.35×");
        assert_eq!(Rounded::new(None, None).times(), NONE);
        assert_eq!(Rounded::ms(Some(61_234_567.0), None).value, "61.2");
    }

    /// A run on a noisy machine showed `0 [0, 4]` ms and `0.0× to 1.9×`.
    #[test]
    fn a_wide_interval_leaves_two_significant_digits() {
        let shown = |value, low, high| Rounded::new(Some(value), Some((low, high)));
        assert_eq!(shown(0.349, 0.0352, 4.1).with_brackets(), "0.35 [0.035, 4.1]");
        assert_eq!(shown(0.9, 0.046, 1.94).times(), "0.046× to 1.9×");
        assert_eq!(shown(7.2, 5.4, 9.3).with_brackets(), "7.2 [5.4, 9.3]");
        assert_eq!(shown(25.0, 8.2, 95.0).with_brackets(), "25 [8.2, 95]");
        assert_eq!(shown(0.0, 0.0, 4.0).with_brackets(), "0 [0, 4.0]");
        let time = |value, low, high| Rounded::time(Some(value), Some((low, high)));
        assert_eq!(time(349_200.0, 335_000.0, 363_400.0), "349 µs [335, 363]");
        assert_eq!(time(400.0, 310.0, 4_000_000.0), "0.40 µs [0.31, 4000]");
        assert_eq!(time(118e6, 114e6, 123e6), "118 ms [114, 123]");
        assert_eq!(Rounded::time(Some(61_234_567.0), None), "61.2 ms");
        assert_eq!(Rounded::time(None, None), NONE);
    }

    #[test]
    fn sizes_are_in_units_of_a_thousand_bytes() {
        assert_eq!(kb(32_041), "32.0");
        assert_eq!(kb(999), "1.00");
        assert_eq!(kb(8_810_000), "8810");
        assert_eq!(kb(12_900_000_000), "12,900,000");
        assert_eq!(size_ratio(0.1538), "0.15×");
        assert_eq!(size_ratio(6.51), "6.5×");
        assert_eq!(published(477.0), "477");
        assert_eq!(published(338.5), "338.5");
    }

    #[test]
    fn nothing_that_is_no_number_is_shown_as_one() {
        assert_eq!(fixed(f64::NAN, 2), NONE);
        assert_eq!(size_ratio(f64::INFINITY), NONE);
        assert_eq!(percent(f64::NAN), NONE);
        assert_eq!(fixed(-0.000_1, 2), "0.00");
        assert_eq!(significant(0.0, 2), "0");
        assert_eq!(percent(0.02), "2.0 %");
        assert_eq!(confidence(0.95), "95 %");
        assert_eq!(confidence(0.957_2), "95.7 %");
    }
}
