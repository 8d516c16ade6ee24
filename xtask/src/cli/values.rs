//! Values of options: ranges that are stated where they are refused.
//!
//! Not here: which option has which range (`cli`).

use std::ops::RangeInclusive;

/// A whole number within a range.
pub fn whole<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse::<u64>().ok().filter(|number| range.contains(number));
        let wanted = || format!("it must be a whole number from {} to {}", range.start(), range.end());
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(wanted)
    }
}

/// A percentage above 0 and up to 1000, as a fraction.
pub fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 && value <= 1000.0 => Ok(value / 100.0),
        _ => Err("it must be a percentage above 0 and up to 1000, such as `2` or `2.5%`".to_owned()),
    }
}

/// A percentage from 0 up to 1000, as a fraction.
pub fn percent_from_0(text: &str) -> Result<f64, String> {
    if text.trim_end_matches('%').parse::<f64>() == Ok(0.0) { Ok(0.0) } else { percent(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_may_be_allowed_no_growth_at_all() {
        assert_eq!((percent_from_0("0"), percent_from_0("0.0%"), percent_from_0("5%")), (Ok(0.0), Ok(0.0), Ok(0.05)));
        assert!(percent_from_0("-1").is_err() && percent_from_0("x").is_err());
    }

    #[test]
    fn a_percentage_is_a_fraction() {
        assert_eq!(percent("2"), Ok(0.02));
        assert_eq!(percent("2.5%"), Ok(0.025));
        for text in ["NaN", "-1", "0", "1001", "x", ""] {
            assert!(percent(text).unwrap_err().contains("above 0 and up to 1000"), "{text}");
        }
    }

    #[test]
    fn a_whole_number_outside_its_range_is_told_the_range() {
        assert_eq!(whole::<u32>(1..=5)("5"), Ok(5));
        for text in ["0", "6", "-1", "2.5", "x", "", "99999999999999999999"] {
            assert_eq!(whole::<u32>(1..=5)(text), Err("it must be a whole number from 1 to 5".to_owned()), "{text}");
        }
    }
}
