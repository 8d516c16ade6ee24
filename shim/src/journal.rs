//! Where the shim's own messages go: the FIFO `log` in its working directory, whose other end containerd
//! copies into its log (containerd, `runtime/v2/README.md`, "Logging").
//!
//! The container's output is not here: that goes to the container's stdout and stderr.

use std::fs::{File, OpenOptions};
use std::io::Write as _;

use log::{LevelFilter, Log, Metadata, Record};

use crate::content;

struct Journal {
    fifo: File,
    runtime: &'static str,
}

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) || is_of_content(record) {
            return;
        }
        let line = format!(
            "level={} runtime={} msg={:?}\n",
            record.level().as_str().to_lowercase(),
            self.runtime,
            record.args().to_string()
        );
        // One write of less than a pipe's buffer, so that lines of several processes do not mix. Should
        // containerd be gone, there is nobody left to tell.
        (&self.fifo).write_all(line.as_bytes()).ok();
    }

    fn flush(&self) {}
}

/// Whether the library says that it got nothing where it was not to ask (`content`).
fn is_of_content(record: &Record<'_>) -> bool {
    content::is_left_out()
        && record.target().starts_with("containerd_shim_wasm::")
        && record.args().to_string().starts_with("Error obtaining wasm layers")
}

/// Sends warnings and errors to containerd's log; with `verbose` (containerd's `-debug`) everything. The
/// variable `RUST_LOG` may name another level. Processes forked later write to the same place.
///
/// Without the FIFO, as when the shim is started by hand, there is no journal; the shim works all the same.
pub fn open(runtime: &'static str, verbose: bool) {
    let Ok(fifo) = OpenOptions::new().write(true).open("log") else {
        return;
    };
    let named = std::env::var("RUST_LOG").ok();
    if log::set_boxed_logger(Box::new(Journal { fifo, runtime })).is_ok() {
        log::set_max_level(level(verbose, named.as_deref()));
    }
}

fn level(verbose: bool, named: Option<&str>) -> LevelFilter {
    let usual = if verbose { LevelFilter::Debug } else { LevelFilter::Warn };
    named.and_then(|name| name.parse().ok()).unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use super::level;
    use log::LevelFilter;

    #[test]
    fn a_named_level_wins_and_a_wrong_name_does_not_count() {
        assert_eq!(level(false, None), LevelFilter::Warn);
        assert_eq!(level(true, None), LevelFilter::Debug);
        assert_eq!(level(true, Some("trace")), LevelFilter::Trace);
        assert_eq!(level(false, Some("loud")), LevelFilter::Warn);
    }
}
