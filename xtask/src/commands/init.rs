//! `init`: a file that describes a program of somebody's own, with everything explained that it can say.

use std::io::Write as _;

use anyhow::{Context as _, ensure};

use crate::cli::{Exit, InitArgs};
use crate::own_program::file;

/// Writes it, unless something is there.
pub fn run(args: &InitArgs) -> anyhow::Result<Exit> {
    let shown = args.path.display();
    ensure!(!args.path.exists(), "`{shown}` is there already, and was not touched: name another path");
    let mut created = std::fs::File::create_new(&args.path).with_context(|| format!("can not write `{shown}`"))?;
    created.write_all(file::EXAMPLE.as_bytes()).with_context(|| format!("can not write `{shown}`"))?;
    crate::console::note(format_args!(
        "`{shown}` is written: `cargo xtask bench --file {shown}` measures what it says"
    ));
    Ok(Exit::Done)
}
