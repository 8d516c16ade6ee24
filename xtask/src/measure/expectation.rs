//! What runs have to print: known before, or learned from the native program, and what is wrong with what they printed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use anyhow::Context as _;
use regex::bytes::Regex;

use super::child::{self, End, Ran};
use super::difference::difference;
use super::runs::{RunnableBench, Runs};
use super::single;
use super::watchdog::Watchdog;
use crate::bench::Expected;
use crate::plan::Place;
use oci::digest::Digest;
use results::Outcome;
use results::case::{Cell, Kind, Mode};

/// What every bench has to print, by its name.
#[derive(Debug, Default)]
pub struct Expectations(BTreeMap<String, Expectation>);

#[derive(Debug)]
enum Expectation {
    Exactly(Vec<u8>),
    /// What the native program printed before the first round.
    AsNative(Vec<u8>),
    /// There is no native program: what the first run prints that ends well, and whose that was.
    AsFirst(Option<(String, Vec<u8>)>),
    Pattern(Regex),
    Anything,
}

/// What native runs came to.
enum Learned {
    Printed(Vec<u8>),
    /// The bench can not be measured, for this reason.
    Useless(String),
    Stopped,
}

impl Expectations {
    /// Reads what is known before of the benches of these numbers, and starts the native program twice for each where that
    /// says it. Where it fails, or prints something else the second time, no cell of the bench can be judged: all are barred,
    /// with the reason. `None`: somebody wishes to stop.
    ///
    /// # Errors
    /// When a pattern is none, or the watchdog can not watch.
    pub fn learn(
        (runs, benches): (&Runs, Range<usize>),
        watchdog: &Watchdog,
        barred: &mut BTreeMap<Place, String>,
    ) -> anyhow::Result<Option<Self>> {
        let mut all = BTreeMap::new();
        for index in benches {
            let bench = &runs.benches[index];
            let expectation = match &bench.expected {
                Expected::Exactly(bytes) => Expectation::Exactly(bytes.clone()),
                Expected::Pattern(text) => Expectation::Pattern(Regex::new(text).context("it is no pattern")?),
                Expected::Anything => Expectation::Anything,
                Expected::FirstNative => match native(bench, runs, watchdog) {
                    None => Expectation::AsFirst(None),
                    Some(Learned::Printed(bytes)) => Expectation::AsNative(bytes),
                    Some(Learned::Stopped) => return Ok(None),
                    Some(Learned::Useless(reason)) => {
                        bar(runs, index, &reason, barred);
                        Expectation::Anything
                    }
                },
            };
            all.insert(bench.name.clone(), expectation);
        }
        Ok(Some(Self(all)))
    }

    /// What a run of a cell came to, and why it is no sample.
    pub fn judge(&mut self, (bench, cell): (&String, &Cell), ran: &Ran, timeout_ms: u64) -> (Outcome, Option<String>) {
        match single::failure(ran, Duration::from_millis(timeout_ms)) {
            Some((outcome, reason)) => (outcome, Some(with_way_out(reason, (ran, cell)))),
            None => match self.fault((bench, &cell.name), &ran.stdout) {
                None => (Outcome::Ok, None),
                Some(fault) => (Outcome::WrongOutput, Some(fault)),
            },
        }
    }

    /// What is wrong with what a cell of a bench printed that ended well.
    pub fn fault(&mut self, (bench, cell): (&str, &str), printed: &[u8]) -> Option<String> {
        let of_another = |whose: &str, expected: &[u8]| {
            (expected != printed).then(|| format!("not what {whose} printed: {}", difference(expected, printed)))
        };
        match self.0.get_mut(bench)? {
            Expectation::Anything => None,
            Expectation::Exactly(expected) => (expected != printed).then(|| difference(expected, printed)),
            Expectation::AsNative(expected) => of_another("native", expected),
            Expectation::AsFirst(Some((whose, expected))) => of_another(&format!("`{whose}`"), expected),
            Expectation::AsFirst(first) => {
                *first = Some((cell.to_owned(), printed.to_vec()));
                None
            }
            Expectation::Pattern(pattern) => (!pattern.is_match(printed))
                .then(|| format!("nothing in it matches `{pattern}`: {}", difference(b"", printed))),
        }
    }

    /// What a bench has to print, where that is known to the last byte.
    pub fn exactly(&self, bench: &str) -> Option<&[u8]> {
        match self.0.get(bench)? {
            Expectation::Exactly(bytes) | Expectation::AsNative(bytes) | Expectation::AsFirst(Some((_, bytes))) => {
                Some(bytes)
            }
            Expectation::AsFirst(None) | Expectation::Pattern(_) | Expectation::Anything => None,
        }
    }

    /// Whether it matters what a bench prints.
    pub fn is_judged(&self, bench: &str) -> bool {
        !matches!(self.0.get(bench), None | Some(Expectation::Anything))
    }

    /// What was learned, by the name of the bench.
    pub fn learned(&self) -> Vec<(String, Digest)> {
        let digest = |(bench, expectation): (&String, &Expectation)| match expectation {
            Expectation::AsNative(bytes) | Expectation::AsFirst(Some((_, bytes))) => {
                Some((bench.clone(), Digest::of(bytes)))
            }
            _ => None,
        };
        self.0.iter().filter_map(digest).collect()
    }
}

fn bar(runs: &Runs, bench: usize, reason: &str, barred: &mut BTreeMap<Place, String>) {
    for cell in 0..runs.schedule.cells().len() {
        barred.entry(Place { bench, cell }).or_insert_with(|| reason.to_owned());
    }
}

/// What the native program prints; `None` when there is none.
fn native(bench: &RunnableBench, runs: &Runs, watchdog: &Watchdog) -> Option<Learned> {
    let file = bench.files.iter().find(|file| file.kind == Kind::Native)?;
    let invocation = single::process(bench, file.path.clone());
    let limit = Duration::from_millis(runs.timeout_ms);
    let mut printed: Vec<Vec<u8>> = Vec::new();
    for _ in 0..2 {
        let ran = match child::run(&invocation, limit, watchdog) {
            Ok(ran) if ran.end == End::Stopped => return Some(Learned::Stopped),
            Ok(ran) => ran,
            Err(error) => return Some(Learned::Useless(format!("{error:#}"))),
        };
        if let Some((_, reason)) = single::failure(&ran, limit) {
            let way_out = "native is started first, for what it prints is what every case has to print";
            return Some(Learned::Useless(format!("native itself failed: {reason} ({way_out})")));
        }
        printed.push(ran.stdout);
    }
    let [first, second] = &printed[..] else { return None };
    if first != second {
        return Some(Learned::Useless(format!(
            "native prints something else each time, so its output can not tell whether a case is right: {}; take away \
             what changes (a time, a random number, the order of a map), say what holds of every output \
             (`--expect-pattern REGEX`), or that none is to be looked at (`--expect-none`)",
            difference(first, second)
        )));
    }
    Some(Learned::Printed(printed.swap_remove(0)))
}

/// What a module says that wants what WASI has not: the standard library's words for a function that is not there, and for
/// an error number that says so.
const UNSUPPORTED: [&str; 2] = ["operation not supported on this platform", "kind: Unsupported"];
const WITHOUT_WASI: &str = "WASI preview 1 has no sockets and no threads: measure a part of the program that needs neither, or \
                            build it without them for `cfg(target_os = \"wasi\")`";

/// What a program says that looks for a file and sees none: the C library's words, and those of the module's.
const UNSEEN: [&str; 3] = ["No such file or directory", "pre-opened file descriptor", "kind: NotFound"];
const WITHOUT_FOLDERS: &str = "containers, and modules everywhere, see no folder of this machine but those that \
                               `--dir HOST:GUEST` gives them: name the file by a path below GUEST";

/// The reason of a failure, with what it means where the program wants what this cell has not.
fn with_way_out(reason: String, (ran, cell): (&Ran, &Cell)) -> String {
    let said = String::from_utf8_lossy(&ran.stderr);
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let is_module = cell.case.mode != Mode::Native;
    if is_module && says(&UNSUPPORTED) {
        return format!("{reason}\n({WITHOUT_WASI})");
    }
    if (is_module || cell.case.is_container()) && says(&UNSEEN) {
        return format!("{reason}\n({WITHOUT_FOLDERS})");
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cell_lacks_is_said_with_the_way_out_and_to_no_other() {
        let cell = |name: &str| Cell::of(crate::matrix::tests::ours().case(name).unwrap().clone());
        let ran = |stderr: &str| Ran {
            began_ns: 0,
            wall_ns: 1,
            user_ns: None,
            system_ns: None,
            further: Vec::new(),
            end: End::Exited(1),
            stdout: Vec::new(),
            stderr: stderr.into(),
        };
        let said = |name: &str, stderr: &str| with_way_out("exit status 1".to_owned(), (&ran(stderr), &cell(name)));
        let unseen = "Os { code: 2, kind: NotFound, message: \"No such file or directory\" }";
        for name in ["wasm-aot/process", "wasm-aot/wasmedge", "native/runc"] {
            assert!(said(name, unseen).contains("`--dir HOST:GUEST`"), "{name}");
        }
        assert!(said("wasm-aot/process", "operation not supported on this platform").contains("no sockets"));
        for (name, stderr) in [("native/process", unseen), ("native/runc", "kind: Unsupported"), ("native/runc", "")] {
            assert_eq!(said(name, stderr), "exit status 1", "{name}");
        }
    }
}
