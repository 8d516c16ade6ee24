//! Side by side: the same program in a container of runc and in two of the shim, native and as a module, under each set
//! of options.

use super::container::{Inside, Subject};
use super::{SECRET, facts};
use crate::shim::Runner;
use crate::shim::Verdict;

/// Options of `ctr run`, one set a line.
const OPTIONS: [&str; 15] = [
    "",
    "--user 1000:1000",
    "--privileged",
    "--read-only",
    "--seccomp",
    "--seccomp --user 1000:1000",
    "--allow-new-privs",
    "--cap-add CAP_NET_ADMIN",
    "--cap-drop CAP_CHOWN",
    "--memory-limit 67108864",
    "--net-host",
    "--cpus 0.5",
    "--cwd /shared",
    "--env HOME=/mine",
    "--uidmap 0:100000:65536 --gidmap 0:100000:65536",
];

/// What a module's process has and a program that was executed has not, or the other way round (METHODOLOGY.md,
/// section 7): its environment is the shim's, which is held to its own standard, and it sees no `/proc` and no `/sys`.
const NOT_A_MODULES: [&str; 2] = ["environment", "mounts"];

/// Two verdicts for each set of options.
pub fn all(inside: &Inside<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (number, options) in OPTIONS.iter().enumerate() {
        let outcome = compare(inside, number, options);
        let shown = if options.is_empty() { "no options" } else { options };
        let (native, module) = match outcome {
            Ok(found) => found,
            Err(error) => (Some(format!("{error:#}")), Some("see the native program".to_owned())),
        };
        verdicts.push((format!("{shown}: a native program is in the same container as under runc"), native));
        verdicts.push((format!("{shown}: so is a module, but for what nothing executes"), module));
    }
    verdicts
}

type Differences = (Option<String>, Option<String>);

fn compare(inside: &Inside<'_>, number: usize, options: &str) -> anyhow::Result<Differences> {
    let seen = |runner, program: &str| {
        let id = format!("{}-{number}-{}", if runner == Runner::Runc { "runc" } else { "shim" }, &program[1..2]);
        let subject = Subject { runner, id: &id, options };
        inside.while_waiting(subject, program, |pid| Ok((facts::of(pid, &id)?, threads(pid)?)))
    };
    let (runc, _) = seen(Runner::Runc, "/native")?;
    let (native, _) = seen(Runner::Shim, "/native")?;
    let (mut module, threads) = seen(Runner::Shim, "/module.wasm")?;
    let mut expected = runc.clone();
    let mounts = facts::without_kernel_files(&runc["mounts"]);
    let secret = module["environment"].contains(SECRET);
    let mut wrong = Vec::new();
    if secret {
        wrong.push("it holds containerd's environment".to_owned());
    }
    if module["mounts"] != mounts {
        wrong.push(format!("its mounts are {:?} and not {mounts:?}", module["mounts"]));
    }
    for name in NOT_A_MODULES {
        module.remove(name);
        expected.remove(name);
    }
    wrong.extend(facts::differences(&module, &expected));
    wrong.extend(threads.iter().filter(|set| **set != expected["CapEff"]).map(|set| format!("a thread has {set}")));
    Ok((facts::differences(&native, &runc), (!wrong.is_empty()).then(|| wrong.join("\n"))))
}

/// The effective capabilities of every thread.
fn threads(pid: u32) -> anyhow::Result<Vec<String>> {
    let mut sets = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = std::fs::read_to_string(thread?.path().join("status"))?;
        sets.extend(status.lines().filter_map(|line| line.strip_prefix("CapEff:")).map(|set| set.trim().to_owned()));
    }
    Ok(sets)
}
