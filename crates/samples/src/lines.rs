//! The lines of a run's raw facts, read one by one: a file with a million of them is never whole in memory.
//!
//! Not here: where the files are, and whether a line has a place in the plan (`sift`).

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::thread;

use super::Sample;
use super::sample::Line;
use super::word::Words;

/// A processor more is asked for where it has at least so many bytes to read.
const WORTH_A_PROCESSOR: u64 = 1 << 22;
/// No more processors than these: the rest of a report is by far the longer part then.
const PROCESSORS: usize = 8;
/// So many samples are one piece of memory, which is given back when they have been taken out of it.
const PIECE: usize = 1 << 13;

/// The samples of a `samples.jsonl`, and a line of explanation for each line that is none.
///
/// # Errors
/// When `lines` can not be read.
pub fn samples(lines: &mut dyn BufRead) -> std::io::Result<(Vec<Sample>, Vec<String>)> {
    let part = part(lines, u64::MAX)?;
    Ok(joined(vec![part]))
}

/// The same of a file, with as many processors as it is worth.
///
/// # Errors
/// When it can not be read.
pub fn samples_of(file: &File) -> std::io::Result<(Vec<Sample>, Vec<String>)> {
    let processors = thread::available_parallelism().map_or(1, usize::from).min(PROCESSORS) as u64;
    let parts = (file.metadata()?.len() / WORTH_A_PROCESSOR).clamp(1, processors);
    in_parts(file, parts)
}

fn in_parts(file: &File, parts: u64) -> std::io::Result<(Vec<Sample>, Vec<String>)> {
    let length = file.metadata()?.len();
    let bounds =
        |part: u64| (length * part / parts, if part + 1 == parts { u64::MAX } else { length * (part + 1) / parts });
    let read = thread::scope(|scope| {
        let readers: Vec<_> = (0..parts).map(|part| scope.spawn(move || between(file, bounds(part)))).collect();
        let ended =
            readers.into_iter().map(|reader| reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.collect::<std::io::Result<Vec<Part>>>()
    })?;
    Ok(joined(read))
}

/// The lines of a file that begin at these bytes.
fn between(file: &File, (from, to): (u64, u64)) -> std::io::Result<Part> {
    // The line that begins before them is of whoever reads what is before.
    let mut at = from.saturating_sub(1);
    let mut lines = BufReader::with_capacity(1 << 16, Window { file, at });
    if from > 0 {
        at += lines.skip_until(b'\n')? as u64;
    }
    part(&mut lines, to.saturating_sub(at))
}

/// A file from somewhere on, whatever others read of it.
struct Window<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Window<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// What some lines hold.
struct Part {
    /// In pieces, so that what is put together is never there twice.
    samples: Vec<Vec<Sample>>,
    walked: Walked,
}

fn part(lines: &mut dyn BufRead, bytes: u64) -> std::io::Result<Part> {
    let (mut pieces, mut words) = (Vec::<Vec<Sample>>::new(), Words::default());
    let walked = walk(lines, bytes, &mut |line| {
        let sample = line_of(line)?.sample(&mut words);
        if let Some(piece) = pieces.last_mut().filter(|piece| piece.len() < PIECE) {
            piece.push(sample);
        } else {
            let mut piece = Vec::with_capacity(PIECE);
            piece.push(sample);
            pieces.push(piece);
        }
        Ok(())
    })?;
    Ok(Part { samples: pieces, walked })
}

/// Looked at once for whether it is text, and not at each of its words.
fn line_of(bytes: &[u8]) -> serde_json::Result<Line<'_>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        // It says what is wrong with it.
        Err(_) => serde_json::from_slice(bytes),
    }
}

fn joined(parts: Vec<Part>) -> (Vec<Sample>, Vec<String>) {
    let count = parts.iter().flat_map(|part| &part.samples).map(Vec::len).sum();
    let (mut samples, mut lost, mut before) = (Vec::with_capacity(count), Vec::new(), 0);
    for part in parts {
        lost.extend(part.walked.lost.iter().map(|lost| lost.told(before)));
        before += part.walked.lines;
        for piece in part.samples {
            samples.extend(piece);
        }
    }
    (samples, lost)
}

/// Has each line read, and says which ones can not be.
///
/// # Errors
/// When `lines` can not be read.
pub fn each(
    lines: &mut dyn BufRead,
    read: &mut dyn FnMut(&[u8]) -> serde_json::Result<()>,
) -> std::io::Result<Vec<String>> {
    Ok(walk(lines, u64::MAX, read)?.lost.iter().map(|lost| lost.told(0)).collect())
}

/// How many lines there were, and which of them could not be read.
#[derive(Default)]
struct Walked {
    lines: u64,
    lost: Vec<Lost>,
}

/// A line that is none, counted from 1.
struct Lost {
    line: u64,
    why: String,
}

impl Lost {
    /// With so many lines before those that were counted.
    fn told(&self, before: u64) -> String {
        format!("line {} {}", before + self.line, self.why)
    }
}

/// The lines that begin within so many bytes.
fn walk(
    lines: &mut dyn BufRead,
    bytes: u64,
    read: &mut dyn FnMut(&[u8]) -> serde_json::Result<()>,
) -> std::io::Result<Walked> {
    let (mut walked, mut line, mut at) = (Walked::default(), Vec::new(), 0);
    while at < bytes {
        line.clear();
        let length = lines.read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            break;
        }
        at += length;
        walked.lines += 1;
        let whole = line.pop_if(|last| *last == b'\n').is_some();
        if line.is_empty() {
            continue;
        }
        let why = match read(&line) {
            Ok(()) => continue,
            Err(_) if !whole => "breaks off".to_owned(),
            Err(error) => format!("is damaged: {error}"),
        };
        walked.lost.push(Lost { line: walked.lines, why });
    }
    Ok(walked)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn line(round: usize) -> String {
        format!(
            r#"{{"bench":"b","case":"c","round":{round},"position":0,"warmup":false,"values":{{"wall_ns":7}},"outcome":"ok"}}"#
        )
    }

    /// Wherever the bounds are: within a line, at its end, more parts than lines or bytes.
    #[test]
    fn a_file_read_in_parts_is_the_file_read_at_once() {
        let whole = [line(0), String::new(), line(1), "{broken".to_owned(), line(22), line(333)].join("\n");
        for text in [whole.clone(), whole.clone() + "\n", whole + "\n{\"be", String::new(), "\n\n".to_owned()] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let at_once = samples(&mut text.as_bytes()).unwrap();
            let length = text.len() as u64;
            for parts in (1..9).chain([length.max(1), length + 2]) {
                assert_eq!(in_parts(&file, parts).unwrap(), at_once, "{parts} parts of {text}");
            }
        }
        assert_eq!(samples(&mut "{broken\n".as_bytes()).unwrap().1.len(), 1);
        let no_text = [line(0).as_bytes(), b"\n{\"bench\":\"\xff\"}\n"].concat();
        let (kept, lost) = samples(&mut no_text.as_slice()).unwrap();
        assert!(kept.len() == 1 && lost[0].starts_with("line 2 is damaged: invalid unicode"), "{lost:?}");
    }
}
