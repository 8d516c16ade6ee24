//! Compresses with `miniz_oxide` (DEFLATE, level 6): `compress FILE ROUNDS` compresses the file so many times, each time
//! begun with another number so that no two inputs are the same, and prints how long all of it became, with a checksum.

use std::process::ExitCode;

use miniz_oxide::deflate::compress_to_vec;

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("compress: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, String> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: compress FILE ROUNDS")?;
    let rounds = args.next().ok_or("usage: compress FILE ROUNDS")?;
    let rounds: u32 = rounds.parse().map_err(|error| format!("`{rounds}` is no number: {error}"))?;
    let text = std::fs::read(&path).map_err(|error| format!("can not read `{path}`: {error}"))?;
    let (mut before, mut after, mut checksum) = (0, 0, 0xcbf2_9ce4_8422_2325_u64);
    for round in 0..rounds {
        let input = [&round.to_le_bytes()[..], &text].concat();
        let output = compress_to_vec(&input, 6);
        before += input.len();
        after += output.len();
        checksum = output.iter().fold(checksum, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
    Ok(format!("{before} bytes became {after}, checksum {checksum:016x}"))
}
