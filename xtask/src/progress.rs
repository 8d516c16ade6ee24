//! The progress of long work: lines, and a bar with the time left when stderr is a terminal.
//!
//! Not here: anything during a timed run. Nothing is shown then.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::console;

/// How far a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
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

/// Where long work reports to.
pub trait Progress {
    /// One line.
    fn note(&mut self, text: &str);
    /// How far `what` is. The first call with another `what` begins it, `done == total` ends it.
    fn advance(&mut self, what: &str, amount: Amount);
}

/// Shows nothing.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct Silent;

#[cfg(test)]
impl Progress for Silent {
    fn note(&mut self, _text: &str) {}
    fn advance(&mut self, _what: &str, _amount: Amount) {}
}

/// On stderr: a bar on a terminal, else a line where work begins and at each further tenth.
#[derive(Debug, Default)]
pub struct Stderr {
    heading: Option<String>,
    current: Option<(String, View)>,
}

#[derive(Debug)]
enum View {
    Bar(ProgressBar),
    Lines { tenths: u64 },
}

/// The steps of a set-up. One that has nothing to do shows nothing.
#[derive(Debug)]
pub struct Steps {
    total: usize,
    begun: usize,
}

impl Steps {
    /// So many.
    pub const fn of(total: usize) -> Self {
        Self { total, begun: 0 }
    }

    /// The progress of the next one, with its number before its first line.
    pub fn next(&mut self, what: &str) -> Stderr {
        self.begun += 1;
        Stderr { heading: Some(format!("set-up, step {} of {}: {what}", self.begun, self.total)), current: None }
    }
}

impl Stderr {
    fn head(&mut self) {
        if let Some(heading) = self.heading.take() {
            console::note(heading);
        }
    }

    fn begin(&mut self, what: &str, amount: Amount) {
        self.head();
        let view = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(amount.total);
            let template = match amount.unit {
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
            console::note(format_args!("{what} ({})", shown(amount.total, amount.unit)));
            View::Lines { tenths: 0 }
        };
        self.current = Some((what.to_owned(), view));
    }
}

impl Progress for Stderr {
    fn note(&mut self, text: &str) {
        self.head();
        match &self.current {
            Some((_, View::Bar(bar))) => bar.suspend(|| console::note(text)),
            _ => console::note(text),
        }
    }

    fn advance(&mut self, what: &str, amount: Amount) {
        if self.current.as_ref().is_none_or(|(current, _)| current != what) {
            self.begin(what, amount);
        }
        let Some((_, view)) = &mut self.current else { return };
        match view {
            View::Bar(bar) => {
                bar.set_length(amount.total);
                bar.set_position(amount.done);
            }
            View::Lines { tenths } => {
                let reached = amount.done.saturating_mul(10) / amount.total.max(1);
                if reached > *tenths && reached < 10 {
                    let (done, total) = (shown(amount.done, amount.unit), shown(amount.total, amount.unit));
                    console::note(format_args!("{what}: {done} of {total}"));
                }
                *tenths = reached.max(*tenths);
            }
        }
        if amount.done >= amount.total {
            if let View::Bar(bar) = view {
                bar.finish_and_clear();
            }
            self.current = None;
        }
    }
}

fn shown(count: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => format!("{:.1} MB", count as f64 / 1e6),
        Unit::Items => count.to_string(),
    }
}
