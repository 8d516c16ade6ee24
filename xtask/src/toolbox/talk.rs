//! What long work says while it runs: lines, and progress with time left when stderr is a terminal.
//!
//! Not here: anything that is said during a timed run. Nothing is.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::console;

/// How far a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Done so far.
    pub done: u64,
    /// All of it; never 0.
    pub total: u64,
    /// What is counted.
    pub unit: Unit,
}

/// What progress counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things.
    Items,
}

/// Someone who wants to know what is going on.
pub trait Talk {
    /// One line.
    fn say(&mut self, text: &str);
    /// How far `what` is. The first call with another `what` begins it, `done == total` ends it.
    fn progress(&mut self, what: &str, progress: Progress);
}

/// Talks to nobody.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct Silent;

#[cfg(test)]
impl Talk for Silent {
    fn say(&mut self, _text: &str) {}
    fn progress(&mut self, _what: &str, _progress: Progress) {}
}

/// Talks on stderr: a bar on a terminal, else a line where work begins and at each further quarter.
#[derive(Debug, Default)]
pub struct Stderr {
    current: Option<(String, View)>,
}

#[derive(Debug)]
enum View {
    Bar(ProgressBar),
    Lines { quarters: u64 },
}

impl Stderr {
    fn begin(&mut self, what: &str, progress: Progress) {
        let view = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(progress.total);
            let template = match progress.unit {
                Unit::Bytes => "{msg} [{bar:30}] {decimal_bytes}/{decimal_total_bytes}, {eta} left",
                Unit::Items => "{msg} [{bar:30}] {pos}/{len}, {eta} left",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            View::Bar(bar)
        } else {
            console::note(format_args!("{what} ({})", amount(progress)));
            View::Lines { quarters: 0 }
        };
        self.current = Some((what.to_owned(), view));
    }
}

impl Talk for Stderr {
    fn say(&mut self, text: &str) {
        match &self.current {
            Some((_, View::Bar(bar))) => bar.suspend(|| console::note(text)),
            _ => console::note(text),
        }
    }

    fn progress(&mut self, what: &str, progress: Progress) {
        if self.current.as_ref().is_none_or(|(current, _)| current != what) {
            self.begin(what, progress);
        }
        let Some((_, view)) = &mut self.current else { return };
        match view {
            View::Bar(bar) => bar.set_position(progress.done),
            View::Lines { quarters } => {
                let reached = progress.done.saturating_mul(4) / progress.total.max(1);
                if reached > *quarters && reached < 4 {
                    console::note(format_args!("{what}: {} %", reached * 25));
                }
                *quarters = reached.max(*quarters);
            }
        }
        if progress.done >= progress.total {
            if let View::Bar(bar) = view {
                bar.finish_and_clear();
            }
            self.current = None;
        }
    }
}

fn amount(progress: Progress) -> String {
    match progress.unit {
        Unit::Bytes => format!("{:.1} MB", progress.total as f64 / 1e6),
        Unit::Items => progress.total.to_string(),
    }
}
