//! First use, as an option of `bench`: what a run costs when not everything is there yet.

use clap::Args;

use super::values::whole;
use results::first_use::Link;

/// The heading of these options.
const FIRST_USE: &str = "First use";

/// What is measured of first use, after the rounds.
#[derive(Clone, Debug, Default, Args)]
pub struct FirstUseArgs {
    /// Measure first use too, after the rounds: image not pulled, not unpacked, files out of the page cache, containerd just
    /// started; pulls over links; compiling ahead of time. Of the headline bench, or else the first, in samples of their own
    #[arg(long, help_heading = FIRST_USE)]
    pub first_use: bool,
    /// How often each class of each case is measured [default: 10] [range: 1 to 10000]
    #[arg(long, help_heading = FIRST_USE, value_name = "N", requires = "first_use", allow_negative_numbers = true,
          value_parser = whole::<u32>(1..=10_000))]
    pub first_use_rounds: Option<u32>,
    /// Pull over a link of so many Mbit/s and milliseconds there and back; may be repeated [default: 10, 100, 1000, 100:20]
    #[arg(long = "link", help_heading = FIRST_USE, value_name = "MBIT[:MS]", requires = "first_use", value_parser = link)]
    pub links: Vec<Link>,
}

impl FirstUseArgs {
    /// Rounds of first use.
    pub fn rounds(&self) -> u32 {
        self.first_use_rounds.unwrap_or(10)
    }

    /// The links that were named, or the usual ones.
    pub fn links(&self) -> Vec<Link> {
        if self.links.is_empty() {
            let usual = [(10, 0), (100, 0), (1000, 0), (100, 20)];
            return usual.map(|(mbit_per_s, round_trip_ms)| Link { mbit_per_s, round_trip_ms }).to_vec();
        }
        let mut links: Vec<Link> = Vec::new();
        for link in &self.links {
            if !links.contains(link) {
                links.push(*link);
            }
        }
        links
    }
}

/// `100`, or `100:20`.
fn link(text: &str) -> Result<Link, String> {
    let (speed, delay) = text.split_once(':').unwrap_or((text, "0"));
    let within = |number: &str, range: std::ops::RangeInclusive<u32>| {
        number.parse::<u32>().ok().filter(|number| range.contains(number))
    };
    match (within(speed, 1..=100_000), within(delay, 0..=10_000)) {
        (Some(mbit_per_s), Some(round_trip_ms)) => Ok(Link { mbit_per_s, round_trip_ms }),
        _ => Err("write whole Mbit/s from 1 to 100000, and milliseconds up to 10000 behind a colon, as in `100:20`"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_speed_and_perhaps_a_delay() {
        assert_eq!(link("100:20"), Ok(Link { mbit_per_s: 100, round_trip_ms: 20 }));
        assert_eq!(link("10"), Ok(Link { mbit_per_s: 10, round_trip_ms: 0 }));
        for wrong in ["", "0", "1:", ":1", "1:2:3", "1.5", "-1", "fast", "200000"] {
            assert!(link(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_link_that_is_named_twice_is_one_and_none_are_the_usual_ones() {
        let named = ["10", "10:0", "20"].map(|text| link(text).unwrap()).to_vec();
        assert_eq!(FirstUseArgs { links: named, ..FirstUseArgs::default() }.links().len(), 2);
        assert_eq!(FirstUseArgs::default().links().len(), 4);
        assert_eq!(FirstUseArgs::default().rounds(), 10);
    }
}
