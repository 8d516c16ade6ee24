//! Where the lines of a density run are, and reading them back.

use super::Line;

/// The file of a density run that holds its lines, beside its manifest.
pub const LINES: &str = "density.jsonl";

/// The lines of a `density.jsonl`, and an explanation for each line that is none.
pub fn parse(bytes: &[u8]) -> (Vec<Line>, Vec<String>) {
    let mut lines = Vec::new();
    let mut lost = Vec::new();
    let whole = bytes.is_empty() || bytes.ends_with(b"\n");
    let texts: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    for (number, text) in (1..).zip(&texts) {
        if text.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Line>(text) {
            Ok(line) => lines.push(line),
            Err(_) if number == texts.len() && !whole => lost.push(format!("line {number} breaks off")),
            Err(error) => lost.push(format!("line {number} is damaged: {error}")),
        }
    }
    (lines, lost)
}
