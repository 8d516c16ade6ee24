//! Renders a Markdown page to HTML with `pulldown-cmark`: `markdown FILE COPIES` renders so many copies of the file as one
//! page, and prints how long it was, how long the HTML is, and a checksum of it.

use std::process::ExitCode;

use pulldown_cmark::{Options, Parser, html};

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("markdown: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, String> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: markdown FILE COPIES")?;
    let copies = args.next().ok_or("usage: markdown FILE COPIES")?;
    let copies: usize = copies.parse().map_err(|error| format!("`{copies}` is no number: {error}"))?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("can not read `{path}`: {error}"))?;
    let page = text.repeat(copies);
    let mut rendered = String::with_capacity(page.len() * 2);
    html::push_html(&mut rendered, Parser::new_ext(&page, Options::all()));
    Ok(format!("{} bytes of Markdown, {} of HTML, checksum {:016x}", page.len(), rendered.len(), fnv(rendered.as_bytes())))
}

/// FNV-1a, 64 bits: enough to see that two pages are the same.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
