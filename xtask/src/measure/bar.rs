//! How far the rounds are and how long they will take, drawn between runs and never during one: there is no
//! thread, and nothing is drawn when stderr is no terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::plan::Slot;

/// A line on stderr.
#[derive(Debug)]
pub struct RoundsBar {
    bar: ProgressBar,
    slots_per_round: usize,
}

impl RoundsBar {
    /// For so many rounds of so many runs.
    pub fn new(rounds: u32, slots_per_round: usize) -> Self {
        let runs = u64::from(rounds) * slots_per_round as u64;
        let bar = ProgressBar::with_draw_target(Some(runs), ProgressDrawTarget::stderr_with_hz(4));
        let style =
            ProgressStyle::with_template("{bar:24} {msg}, {eta} left").unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        Self { bar, slots_per_round }
    }

    /// Before a run.
    pub fn show(&mut self, slot: &Slot, [bench, cell]: [&str; 2]) {
        if self.bar.is_hidden() {
            return;
        }
        let done = u64::from(slot.round) * self.slots_per_round as u64 + u64::from(slot.position);
        let round = if slot.warmup { "warm-up".to_owned() } else { format!("round {}", slot.round) };
        self.bar.set_message(format!("{round}: {bench} {cell}"));
        self.bar.set_position(done);
    }

    /// After the last.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
