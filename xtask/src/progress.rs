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

/// Talks on stderr: a bar on a terminal, else a line where work begins and at each further tenth.
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

/// The steps of a set-up. One that has nothing to do says nothing.
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

    /// Who tells of the next one: with its number, before its first word.
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

    fn begin(&mut self, what: &str, progress: Progress) {
        self.head();
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
            console::note(format_args!("{what} ({})", amount(progress.total, progress.unit)));
            View::Lines { tenths: 0 }
        };
        self.current = Some((what.to_owned(), view));
    }
}

impl Talk for Stderr {
    fn say(&mut self, text: &str) {
        self.head();
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
            View::Bar(bar) => {
                bar.set_length(progress.total);
                bar.set_position(progress.done);
            }
            View::Lines { tenths } => {
                let reached = progress.done.saturating_mul(10) / progress.total.max(1);
                if reached > *tenths && reached < 10 {
                    let (done, total) = (amount(progress.done, progress.unit), amount(progress.total, progress.unit));
                    console::note(format_args!("{what}: {done} of {total}"));
                }
                *tenths = reached.max(*tenths);
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

fn amount(count: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => format!("{:.1} MB", count as f64 / 1e6),
        Unit::Items => count.to_string(),
    }
}
