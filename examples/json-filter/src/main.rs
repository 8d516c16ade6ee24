//! Reads JSON lines from its standard input and prints, for each value of a field, how many lines have it and what their
//! `bytes` add up to: `json-filter FIELD`.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("json-filter: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let field = std::env::args().nth(1).ok_or("usage: json-filter FIELD < LINES")?;
    let mut groups: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|error| format!("can not read line {}: {error}", number + 1))?;
        let value: Value = serde_json::from_str(&line).map_err(|error| format!("line {}: {error}", number + 1))?;
        let group = groups.entry(value[&field].as_str().unwrap_or("(none)").to_owned()).or_default();
        group.0 += 1;
        group.1 += value["bytes"].as_u64().unwrap_or(0);
    }
    for (name, (lines, bytes)) in groups {
        println!("{name}: {lines} lines, {bytes} bytes");
    }
    Ok(())
}
