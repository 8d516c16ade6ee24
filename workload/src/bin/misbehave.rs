//! A program that fails on demand: what the tests of the harness run to see that no failure becomes a sample.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("print"), Some(text)) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        (Some("exit"), Some(code)) => ExitCode::from(code.parse::<u8>().unwrap_or(1)),
        (Some("abort"), None) => std::process::abort(),
        (Some("hang"), None) => loop {
            std::hint::spin_loop();
        },
        (Some("flood"), Some(stream)) if stream == "stdout" => flood(std::io::stdout().lock()),
        (Some("flood"), Some(stream)) if stream == "stderr" => flood(std::io::stderr().lock()),
        _ => {
            eprintln!("usage: misbehave print TEXT | exit CODE | abort | hang | flood stdout|stderr");
            ExitCode::from(2)
        }
    }
}

/// Writes until it is refused, as `yes` does.
fn flood(mut stream: impl Write) -> ExitCode {
    let line = [b'y'; 4096];
    while stream.write_all(&line).is_ok() {}
    ExitCode::FAILURE
}
