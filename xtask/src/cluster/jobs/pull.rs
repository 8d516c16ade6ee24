//! How long a node pulled an image: its kubelet says so in an event, and finer than anything that Kubernetes stores.
//!
//! Newer kubelets say two times: of the pull, and with its wait for other pulls. The first is meant.

use std::time::Duration;

use serde_json::Value;

use crate::clock::Stopwatch;
use crate::cluster::kubectl::{Kubectl, of_job as selector};

/// An event may be later than the end of its pod, and is looked for so long and so often.
const LIMIT: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(200);
/// How it begins where there was a pull.
const PULLED: &str = "Successfully pulled image";
/// What it says where there was none.
const PRESENT: &str = "already present";
/// The units of a duration as Go writes it, in nanoseconds. The longer ones first, where one begins another.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("\u{b5}s", 1e3),
    ("\u{3bc}s", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
];

/// What a kubelet said of a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// So many nanoseconds.
    Took(u64),
    /// There was none: the image was there.
    None,
    /// Nothing that can be read.
    Unsaid,
}

/// Why the time of pulls is not measured.
pub fn unsaid(runs: u32) -> String {
    format!(
        "{runs} of its runs: within {} s of its end no event of the kubelet said how long the pull took",
        LIMIT.as_secs()
    )
}

/// What the kubelet said of the pull of a Job that has one pod.
///
/// # Errors
/// When the cluster can not be reached.
pub fn of_job(kubectl: &Kubectl, name: &str) -> anyhow::Result<Pull> {
    let pods = kubectl.text(&["get", "pods", "-l", &selector(name), "-o", "jsonpath={.items[0].metadata.name}"])?;
    let about = format!("reason=Pulled,involvedObject.name={}", pods.trim());
    let clock = Stopwatch::start();
    loop {
        let found = said(&kubectl.json(&["get", "events", "--field-selector", &about])?);
        if found != Pull::Unsaid || clock.elapsed() > LIMIT {
            return Ok(found);
        }
        std::thread::sleep(LOOK);
    }
}

fn said(events: &Value) -> Pull {
    let items = events["items"].as_array().into_iter().flatten();
    let messages: Vec<&str> = items.filter_map(|event| event["message"].as_str()).collect();
    if let Some(ns) = messages.iter().find_map(|message| took_ns(message)) {
        return Pull::Took(ns);
    }
    if messages.iter().any(|message| message.contains(PRESENT)) { Pull::None } else { Pull::Unsaid }
}

/// `Successfully pulled image "…" in 1.2s (1.3s including waiting)`.
fn took_ns(message: &str) -> Option<u64> {
    let rest = message.strip_prefix(PULLED)?;
    // A name holds no blank.
    let (_, times) = rest.rsplit_once("\" in ")?;
    duration_ns(times.split_whitespace().next()?.trim_end_matches('.'))
}

/// A duration as Go writes it: `1m2.5s`, `145.801469ms`.
fn duration_ns(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let (_, ns) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum += number.parse::<f64>().ok()? * ns;
        rest = after;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0 and below a day")]
    let whole = (sum > 0.0 && sum < 86_400e9).then_some(sum.round() as u64);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, ns) in [
            ("145.801469ms", 145_801_469),
            ("1.2s", 1_200_000_000),
            ("1m2.5s", 62_500_000_000),
            ("1h0m3s", 3_603_000_000_000),
            ("12\u{b5}s", 12_000),
            ("7ns", 7),
        ] {
            assert_eq!(duration_ns(text), Some(ns), "{text}");
        }
        for text in ["", "s", "12", "1.2.3s", "1 s", "1d", "-1s", "0s"] {
            assert_eq!(duration_ns(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_time_of_an_event_is_that_of_the_pull() {
        let events = |message: &str| json!({ "items": [{ "message": message }] });
        let pulled = |rest: &str| events(&format!("Successfully pulled image \"r:5000/x@sha256:0\" in {rest}"));
        assert_eq!(said(&pulled("145.801469ms")), Pull::Took(145_801_469));
        assert_eq!(said(&pulled("1.2s (1.3s including waiting)")), Pull::Took(1_200_000_000));
        assert_eq!(said(&pulled("1.2s (1.3s including waiting). Image size: 12 bytes.")), Pull::Took(1_200_000_000));
        assert_eq!(said(&events("Container image \"r/x\" already present on machine")), Pull::None);
        assert_eq!(said(&pulled("no time")), Pull::Unsaid);
        assert_eq!(said(&json!({ "items": [] })), Pull::Unsaid);
    }
}
