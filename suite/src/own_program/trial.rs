//! A package that does whatever a check asks of it, in a folder whose name is no help.

use std::path::PathBuf;

use super::Rig;

const MANIFEST: &str = "[package]\nname = \"my_trial\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\n[workspace]\n";

const SOURCE: &str = r#"
use std::io::{Read as _, Write as _};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map_or("", String::as_str) {
        "show" => show(&args[1..]),
        "read" => println!("{}", std::fs::read_to_string(&args[1]).expect("the file is read")),
        "flood" => {
            let line = [b'x'; 65536];
            for _ in 0..16384 {
                if std::io::stdout().write_all(&line).is_err() {
                    std::process::exit(9);
                }
            }
        }
        "idle" => {
            while cfg!(target_os = "wasi") {
                std::thread::sleep(std::time::Duration::from_secs(60));
            }
        }
        "forever" => loop {
            std::hint::black_box(0);
        },
        "network" => {
            let found = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket is opened");
            println!("{}", found.local_addr().is_ok());
        }
        "thread" => println!("{}", std::thread::spawn(|| 6 * 7).join().expect("a thread is joined")),
        "clock" => println!("{:?}", std::time::SystemTime::now()),
        "count" => println!("{}", (0..args[1].parse::<u64>().expect("a number")).fold(0, u64::wrapping_add)),
        other => println!("nothing is known of {other:?}"),
    }
}

fn show(args: &[String]) {
    // A native process is told the host's path for a folder's: these differ.
    println!("args {:?}", args.iter().filter(|arg| !arg.starts_with('/')).collect::<Vec<_>>());
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("stdin is read");
    println!("stdin {} bytes, {:?}", text.len(), text.chars().rev().take(3).collect::<String>());
    println!("variables {:?} {:?}", std::env::var("ONE"), std::env::var("TOKEN"));
    for path in args.iter().filter(|arg| arg.starts_with('/')) {
        println!("{:?}", std::fs::read_to_string(path).map_err(|error| error.kind()));
    }
}
"#;

/// The package, with a folder `data` in it that holds a file.
pub fn package(rig: &Rig) -> anyhow::Result<PathBuf> {
    let folder = rig.scratch.join("my prögrams").join("a trial");
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::create_dir_all(folder.join("data"))?;
    std::fs::write(folder.join("Cargo.toml"), MANIFEST)?;
    std::fs::write(folder.join("src/main.rs"), SOURCE)?;
    std::fs::write(folder.join("data/a file.txt"), "what is in it\n")?;
    std::fs::write(folder.join("data/in put.txt"), "ü".repeat(300_000) + "end")?;
    Ok(folder)
}
