//! The lines of a run's raw facts, read one by one: a file with a million of them is never whole in memory.
//!
//! Not here: where the files are, and whether a line has a place in the plan (`sift`).

use std::io::BufRead;

use super::Sample;
use super::sample::Line;
use super::word::Words;

/// The samples of a `samples.jsonl`, and a line of explanation for each line that is none.
///
/// # Errors
/// When `lines` can not be read.
pub fn samples(lines: &mut dyn BufRead) -> std::io::Result<(Vec<Sample>, Vec<String>)> {
    let (mut samples, mut words) = (Vec::new(), Words::default());
    let lost = each(lines, &mut |line| {
        samples.push(serde_json::from_slice::<Line<'_>>(line)?.sample(&mut words));
        Ok(())
    })?;
    Ok((samples, lost))
}

/// Has each line read, and says which ones can not be.
///
/// # Errors
/// When `lines` can not be read.
pub fn each(
    lines: &mut dyn BufRead,
    read: &mut dyn FnMut(&[u8]) -> serde_json::Result<()>,
) -> std::io::Result<Vec<String>> {
    let (mut lost, mut line) = (Vec::new(), Vec::new());
    for number in 1_u64.. {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let whole = line.pop_if(|last| *last == b'\n').is_some();
        if line.is_empty() {
            continue;
        }
        match read(&line) {
            Ok(()) => {}
            Err(_) if !whole => lost.push(format!("line {number} breaks off")),
            Err(error) => lost.push(format!("line {number} is damaged: {error}")),
        }
    }
    Ok(lost)
}
