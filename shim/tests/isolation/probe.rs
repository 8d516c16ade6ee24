//! What a container tries from inside: one program, native and as a module. The stage `isolation` compiles it with rustc
//! alone, so it uses the standard library only.
//!
//! | command | does |
//! |---|---|
//! | `wait FILE` | writes FILE, then sleeps until it is killed |
//! | `reach` | tries to open what no module should see, and prints what could be opened |
//! | `create FILE` | creates FILE |
//! | `descriptors` | asks for descriptors that it was not given, and prints those that are there |
//! | `with-key PROGRAM …` | goes on as PROGRAM, with a session keyring that holds a key (native only) |
//! | `find-key` | looks for that key (native only) |

use std::fs::{File, OpenOptions};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["wait", file] => wait(file),
        ["reach"] => said(reach()),
        ["create", file] => File::create(file).map(drop),
        ["descriptors"] => said(system::descriptors()),
        ["with-key", program, rest @ ..] => Err(system::with_key(program, rest)),
        ["find-key"] => system::find_key().map(|answer| println!("{answer}")),
        _ => Err(std::io::Error::other(format!("unknown command {arguments:?}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::from(3)
        }
    }
}

fn wait(file: &str) -> std::io::Result<()> {
    let part = format!("{file}.part");
    std::fs::write(&part, "ready\n")?;
    std::fs::rename(&part, file)?;
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

fn said(found: Vec<String>) -> std::io::Result<()> {
    if found.is_empty() {
        println!("nothing");
    }
    found.iter().for_each(|found| println!("{found}"));
    Ok(())
}

fn reach() -> Vec<String> {
    let mut paths = Vec::new();
    for prefix in ["/", "", "/../", "/dev/../"] {
        for path in ["proc/self/mem", "proc/self/environ", "proc/1/environ", "proc/self/exe", "proc/version", "sys/kernel"] {
            paths.push(format!("{prefix}{path}"));
        }
    }
    // A native program has these, and would wait for whoever writes to its stdin.
    if cfg!(target_os = "wasi") {
        paths.extend(["/dev/stdin", "/dev/stdout"].map(str::to_owned));
        for number in 0..40 {
            paths.extend([format!("/dev/fd/{number}"), format!("/proc/self/fd/{number}")]);
        }
    }
    let mut reached = Vec::new();
    for path in paths {
        if File::open(&path).is_ok() {
            reached.push(format!("read {path}"));
        }
        if OpenOptions::new().write(true).open(&path).is_ok() {
            reached.push(format!("write {path}"));
        }
    }
    reached
}

#[cfg(target_os = "wasi")]
mod system {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn fd_fdstat_get(descriptor: i32, result: *mut [u64; 3]) -> i32;
    }

    /// The standard streams and the one directory are given.
    pub fn descriptors() -> Vec<String> {
        let there = |number: &i32| unsafe { fd_fdstat_get(*number, &mut [0; 3]) == 0 };
        (4..256).filter(there).map(|number| format!("descriptor {number}")).collect()
    }

    pub fn with_key(_program: &str, _rest: &[&str]) -> std::io::Error {
        std::io::Error::other("a module has no keys")
    }

    pub fn find_key() -> std::io::Result<&'static str> {
        Err(std::io::Error::other("a module has no keys"))
    }
}

#[cfg(not(target_os = "wasi"))]
mod system {
    use std::ffi::CStr;
    use std::io::{Error, Result};
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    const NAME: &CStr = c"containerd-shim-wasmedge-probe";
    const ADD_KEY: i64 = 248;
    const KEYCTL: i64 = 250;
    const KEYCTL_JOIN: i64 = 1;
    const KEYCTL_SEARCH: i64 = 10;
    const SESSION: i64 = -3;

    unsafe extern "C" {
        fn syscall(number: i64, ...) -> i64;
        fn fcntl(descriptor: i32, command: i32, ...) -> i32;
    }

    pub fn descriptors() -> Vec<String> {
        let there = |number: &i32| unsafe { fcntl(*number, 1) >= 0 };
        (3..256).filter(there).map(|number| format!("descriptor {number}")).collect()
    }

    pub fn with_key(program: &str, rest: &[&str]) -> Error {
        unsafe {
            syscall(KEYCTL, KEYCTL_JOIN, std::ptr::null::<u8>());
            if syscall(ADD_KEY, c"user".as_ptr(), NAME.as_ptr(), c"secret".as_ptr(), 6_i64, SESSION) < 0 {
                return Error::last_os_error();
            }
        }
        Command::new(program).args(rest).exec()
    }

    pub fn find_key() -> Result<&'static str> {
        let found = unsafe { syscall(KEYCTL, KEYCTL_SEARCH, SESSION, c"user".as_ptr(), NAME.as_ptr(), 0_i64) };
        Ok(if found > 0 { "found" } else { "none" })
    }
}
