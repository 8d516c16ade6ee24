//! What this machine is: the fingerprint of a run, from /proc and /sys.
//!
//! Every field is what the kernel or the host said, or absent. Not here: what follows from it (`doctor`,
//! `compare`), and where the source stands (`prepare::source`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cmd::Cmd;
use files::sha256_file;
use results::{Machine, ProgramRecord};

pub mod load;
mod text;

/// The host triple that this program was built for.
pub const HOST: &str = env!("XTASK_HOST");
/// The revision that this program was built from; `unknown` outside a checkout.
pub const PROGRAM_REVISION: &str = env!("XTASK_REVISION");

/// `rustc --version` of the compiler that built this program.
pub const RUSTC: &str = env!("XTASK_RUSTC");

/// This machine.
pub fn read() -> Machine {
    let uname = rustix::system::uname();
    let field = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    Machine {
        kernel: Some(format!("{} {}", field(uname.sysname()), field(uname.release()))),
        architecture: Some(field(uname.machine())),
        ..read_files(Path::new("/"))
    }
}

/// Everything that stands in files below `root`.
fn read_files(root: &Path) -> Machine {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let cpu = |path: &str| read(&format!("sys/devices/system/cpu/{path}"));
    let cpuinfo = read("proc/cpuinfo").unwrap_or_default();
    let flags = text::cpuinfo_field(&cpuinfo, "flags");
    let no_turbo = cpu("intel_pstate/no_turbo").and_then(|text| text::flag(&text));
    let boost = cpu("cpufreq/boost").and_then(|text| text::flag(&text));
    Machine {
        os: os_release_below(root).remove("PRETTY_NAME"),
        kernel: None,
        architecture: None,
        cpu_model: text::cpuinfo_field(&cpuinfo, "model name"),
        cpus: cpu("online").and_then(|text| text::cpu_list(&text)),
        memory_bytes: read("proc/meminfo").and_then(|text| text::meminfo_bytes(&text, "MemTotal")),
        governor: cpu("cpu0/cpufreq/scaling_governor").map(|text| text.trim().to_owned()),
        turbo: no_turbo.map(|off| !off).or(boost),
        smt: cpu("smt/active").and_then(|text| text::flag(&text)),
        virtualised: flags.map(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
        cgroup: read("proc/self/mountinfo").and_then(|text| text::cgroup(&text::mounts(&text))).map(str::to_owned),
    }
}

/// The fields of os-release; empty when the host has none.
pub fn os_release() -> BTreeMap<String, String> {
    os_release_below(Path::new("/"))
}

fn os_release_below(root: &Path) -> BTreeMap<String, String> {
    ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|path| std::fs::read_to_string(root.join(path)).ok())
        .map(|text| text::os_release(&text))
        .unwrap_or_default()
}

/// The type of the file system that a path is on; a path that does not exist yet is on its parent's.
pub fn filesystem(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let existing = path.ancestors().find_map(|path| path.canonicalize().ok())?;
    let mountinfo = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    text::filesystem(&text::mounts(&mountinfo), &existing)
}

/// A program as it is stored with a run. `libraries` are the files that a node needs with it: they count in its
/// size, not in its digest.
///
/// # Errors
/// When a file can not be read, or the program does not start.
pub fn program(
    name: &str,
    path: &Path,
    origin: &str,
    version_argument: &str,
    libraries: &[PathBuf],
) -> anyhow::Result<ProgramRecord> {
    let said = said_version(path, version_argument)?;
    let mut size_bytes = 0;
    for file in std::iter::once(path).chain(libraries.iter().map(PathBuf::as_path)) {
        let metadata = file.metadata().with_context(|| format!("can not read `{}`", file.display()))?;
        size_bytes += metadata.len();
    }
    Ok(ProgramRecord {
        name: name.to_owned(),
        version: said.replace(&*path.to_string_lossy(), name),
        sha256: sha256_file(path)?,
        package: None,
        sha256_unpatched: None,
        source_sha256: None,
        origin: origin.to_owned(),
        size_bytes,
    })
}

/// What a program says of its version, asked with this argument.
///
/// # Errors
/// When it can not be started.
pub fn said_version(path: &Path, argument: &str) -> anyhow::Result<String> {
    let output = Cmd::new(path).arg(argument).bare().output()?;
    Ok(version(&if output.code == Some(0) { output.text() } else { "it does not tell".to_owned() }))
}

/// The line of a program's version output that says the version: the first, unless that is the title of a list, as
/// containerd's shims print one.
fn version(said: &str) -> String {
    let mut lines = said.lines();
    let first = lines.next().unwrap_or_default();
    let listed = first.strip_suffix(':').and_then(|name| {
        let version = lines.find_map(|line| line.trim().strip_prefix("Version:"))?;
        Some(format!("{name} {}", version.trim()))
    });
    listed.unwrap_or_else(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_version_stands_in_the_first_line_or_in_a_list() {
        let shim = "containerd-shim-x-v1:\n  Runtime: x\n  Version: 0.1.0\n  Revision: <none>\n";
        assert_eq!(version(shim), "containerd-shim-x-v1 0.1.0");
        assert_eq!(version("runc version 1.1.15\ncommit: x\n"), "runc version 1.1.15");
        assert_eq!((version("odd:\n").as_str(), version("").as_str()), ("odd:", ""));
    }

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_machine_that_says_nothing_has_no_fields() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_files(dir.path()), Machine::default());
    }

    #[test]
    fn a_machine_is_what_its_files_say() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        write(root, "usr/lib/os-release", "PRETTY_NAME=\"Debian 13\"\n");
        write(root, "proc/cpuinfo", "processor : 0\nmodel name : Fast\nflags : fpu hypervisor sse\n");
        write(root, "proc/meminfo", "MemTotal: 4 kB\n");
        write(root, "proc/self/mountinfo", "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        write(root, "sys/devices/system/cpu/online", "0-7\n");
        write(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
        write(root, "sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
        write(root, "sys/devices/system/cpu/smt/active", "1\n");
        let expected = Machine {
            os: Some("Debian 13".to_owned()),
            kernel: None,
            architecture: None,
            cpu_model: Some("Fast".to_owned()),
            cpus: Some(8),
            memory_bytes: Some(4096),
            governor: Some("powersave".to_owned()),
            turbo: Some(true),
            smt: Some(true),
            virtualised: Some(true),
            cgroup: Some("v2".to_owned()),
        };
        assert_eq!(read_files(root), expected);
    }

    #[test]
    fn this_machine_has_a_kernel_and_its_root_a_file_system() {
        assert!(read().kernel.is_some_and(|kernel| kernel.starts_with("Linux ")));
        assert!(filesystem(Path::new("/no/such/folder/here")).is_some());
    }

    #[test]
    fn a_program_is_recorded_with_its_libraries() {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("lib");
        fs::write(&library, "12345").unwrap();
        let cargo = Path::new(env!("CARGO"));
        let alone = program("cargo", cargo, "host", "--version", &[]).unwrap();
        let with_library = program("cargo", cargo, "host", "--version", &[library]).unwrap();
        assert!(alone.version.starts_with("cargo ") && alone.sha256.len() == 64);
        assert_eq!(with_library.size_bytes, alone.size_bytes + 5);
        assert!(program("cargo", &dir.path().join("none"), "host", "--version", &[]).is_err());
    }
}
