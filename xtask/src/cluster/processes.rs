//! The daemons of a cluster: started in the background, each with a log of its own. Who ends them is the kernel, with the PID
//! namespace that they are in.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, WaitOptions, wait};

/// Those that were started here, by process.
#[derive(Debug)]
pub struct Processes {
    logs: PathBuf,
    running: HashMap<Pid, String>,
}

impl Processes {
    /// None yet; their logs go into this folder.
    ///
    /// # Errors
    /// When the folder can not be made.
    pub fn new(logs: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(logs).with_context(|| format!("can not make `{}`", logs.display()))?;
        Ok(Self { logs: logs.to_path_buf(), running: HashMap::new() })
    }

    /// Starts a program. `name` is what its log is called.
    ///
    /// # Errors
    /// When it can not be started.
    pub fn start(&mut self, name: &str, program: &Path, args: &[String]) -> anyhow::Result<()> {
        let path = self.logs.join(format!("{name}.log"));
        let log = File::create(&path).with_context(|| format!("can not write `{}`", path.display()))?;
        let mut command = command(program);
        command.args(args).stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log);
        let child = command.spawn().with_context(|| format!("can not start `{}`", program.display()))?;
        self.running.insert(Pid::from_child(&child), name.to_owned());
        Ok(())
    }

    /// Reaps whatever ends in this PID namespace until one of those does that are needed.
    ///
    /// # Errors
    /// Always: with the name of the one that has ended.
    pub fn keep(&self, needed: &[&str]) -> anyhow::Result<()> {
        loop {
            let Some((pid, status)) = wait(WaitOptions::empty()).context("there is no process left")? else { continue };
            let Some(name) = self.running.get(&pid) else { continue };
            if needed.contains(&name.as_str()) {
                let log = self.logs.join(format!("{name}.log"));
                bail!("`{name}` has ended ({status:?}); what it said is in `{}`", log.display());
            }
        }
    }
}

/// Starts a program that goes on when this one has ended, and whose words are to be read.
///
/// # Errors
/// When it can not be started.
pub fn start_apart(argv: &[OsString], log: File) -> anyhow::Result<Child> {
    let mut command = command(argv.first().context("there is nothing to start")?.as_ref());
    command.args(&argv[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).process_group(0);
    command.spawn().with_context(|| format!("can not start `{}`", argv[0].to_string_lossy()))
}

/// Makes this process another program, with one more variable.
///
/// Returns only when that can not be done.
pub fn become_other(argv: &[OsString], (name, value): (&str, &str)) -> anyhow::Error {
    let Some(program) = argv.first() else { return anyhow::anyhow!("there is nothing to start") };
    #[expect(clippy::disallowed_methods, reason = "`cluster` goes on in the network of its cluster")]
    let error = Command::new(program).args(&argv[1..]).env(name, value).exec();
    anyhow::Error::new(error).context(format!("can not start `{}`", program.to_string_lossy()))
}

/// Nothing of this process's environment but where programs are.
#[expect(clippy::disallowed_methods, reason = "`cluster` starts the programs of its cluster")]
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/");
    command
}
