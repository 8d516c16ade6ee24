//! The command that measures a run again, as a POSIX shell reads it: pasted, it gives the arguments that were typed.

use crate::Run;
use crate::visible::is_hidden;

/// What manifests before this revision have for the first two words.
const TWO_WORDS: &str = "cargo xtask";

/// What the program is called where it was installed.
const INSTALLED: &str = "deploy-bench";
/// Options that say which program of somebody's own it was, with a value each.
const OWN: [&str; 14] = [
    "--program",
    "--bin",
    "--example",
    "--features",
    "--profile",
    "--native",
    "--wasm",
    "--file",
    "--stdin",
    "--env",
    "--dir",
    "--sweep",
    "--expect",
    "--expect-pattern",
];
/// Those without.
const OWN_ALONE: [&str; 3] = ["--all-features", "--no-default-features", "--expect-none"];
/// What the arguments of somebody's own program stand behind.
const LAST: &str = "--";

/// As typed, with the seed where none was given, and without `--out`: a run is never written over another.
pub fn command(run: &Run) -> String {
    let (given, last) = run.manifest.command.split_at(options_end(run));
    let mut words = Vec::new();
    let mut rest = given.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            TWO_WORDS => words.push(TWO_WORDS.to_owned()),
            // Its folder is the next word.
            "--out" => drop(rest.next()),
            word if word.starts_with("--out=") => {}
            word => words.push(shell_word(word)),
        }
    }
    if !given.iter().any(|word| word == "--seed" || word.starts_with("--seed=")) {
        words.push(format!("--seed {}", run.manifest.seed));
    }
    words.extend(last.iter().map(|word| shell_word(word)));
    words.join(" ")
}

fn options_end(run: &Run) -> usize {
    let command = &run.manifest.command;
    command.iter().position(|word| word == LAST).unwrap_or(command.len())
}

/// What measures these cells of a bench once more, with what each is compared with.
pub fn command_of_cells(run: &Run, bench: &str, names: &[&str]) -> String {
    let mut cases: Vec<&str> = Vec::new();
    for case in names.iter().filter_map(|name| super::cell(run, name)).map(|cell| &cell.case) {
        let both = std::iter::once(&case.name).chain(&case.baseline).map(String::as_str);
        cases.extend(both.filter(|name| !cases.contains(name)).collect::<Vec<_>>());
    }
    let bench = run.manifest.benches.iter().find(|record| record.name == bench);
    let bench = bench.map_or("", |record| record.sweep.as_ref().map_or(&record.name, |point| &point.name));
    let cases: Vec<String> = cases.into_iter().map(|name| format!(" --case {}", shell_word(name))).collect();
    let (rounds, seed) = (run.manifest.rounds, run.manifest.seed);
    let (own, last) = own_words(run);
    let bench = shell_word(bench);
    let program = program(run);
    format!("{program} bench{own} --bench {bench}{} --rounds {rounds} --seed {seed}{last}", cases.concat())
}

fn program(run: &Run) -> &'static str {
    if run.manifest.command.first().is_some_and(|word| word == INSTALLED) { INSTALLED } else { TWO_WORDS }
}

/// What makes the files that are measured once more: a subcommand, for the same program.
pub fn command_that_makes(run: &Run, what: &str) -> String {
    let (own, _) = own_words(run);
    format!("{} {what}{own}", program(run))
}

/// What was typed of somebody's own program, and of its arguments; each word has a space in front.
fn own_words(run: &Run) -> (String, String) {
    let (given, last) = run.manifest.command.split_at(options_end(run));
    let spaced = |words: &[&String]| words.iter().flat_map(|word| [" ".to_owned(), shell_word(word)]).collect();
    if run.manifest.own_program.is_none() {
        return (String::new(), String::new());
    }
    let is_own = |index: usize| {
        let name = given[index].split('=').next().unwrap_or_default();
        let has_value = |word: &str| OWN.contains(&word);
        OWN_ALONE.contains(&name) || has_value(name) || index > 0 && has_value(&given[index - 1])
    };
    let own: Vec<&String> = (0..given.len()).filter(|&index| is_own(index)).map(|index| &given[index]).collect();
    (spaced(&own), spaced(&last.iter().collect::<Vec<_>>()))
}

/// One word for a POSIX shell. What can not be seen, and a tab, which a shell that is typed into completes on, is
/// printed in octal by the shell itself: `"$(printf '\033')"`. (`$'\033'` is shorter, but dash does not know it.)
pub fn shell_word(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let acts = |letter: char| is_hidden(letter) || letter == '\t';
    let mut out = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let (seen, after) = rest.split_at(rest.find(acts).unwrap_or(rest.len()));
        if !seen.is_empty() {
            out.push(format!("'{}'", seen.replace('\'', r"'\''")));
        }
        let (hidden, after) = after.split_at(after.find(|letter| !acts(letter)).unwrap_or(after.len()));
        if !hidden.is_empty() {
            let octal: Vec<String> = hidden.bytes().map(|byte| format!("\\{byte:03o}")).collect();
            out.push(format!("\"$(printf '{}')\"", octal.concat()));
        }
        rest = after;
    }
    if out.is_empty() { "''".to_owned() } else { out.concat() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// What a shell makes of a line: `cargo` is a program that writes its arguments down, NUL after each.
    #[expect(clippy::disallowed_methods, reason = "only a shell knows how a shell reads")]
    fn read_by_a_shell(line: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let stub = "cargo() { for word in \"$@\"; do printf '%s\\0' \"$word\"; done; }\n";
        let script = dir.path().join("script");
        std::fs::write(&script, format!("{stub}{line}\n")).unwrap();
        let text = duct::cmd!("sh", &script).dir(dir.path()).stderr_to_stdout().read().unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    const ODD: [&str; 14] = [
        "bench",
        "",
        "two words",
        "it's \"quoted\"",
        "line\nand line\n",
        "ends in a line end\n",
        "$HOME `id` $(id) \\ !x ~ *",
        "#2",
        "a\tb\r\u{1b}[31m\u{7f}",
        "größe 漢字 👩\u{200d}💻",
        "\u{202e}gpj.exe\u{9b}2J",
        "-n",
        "%s\\n",
        "```\n<b>|",
    ];

    #[test]
    fn the_command_of_a_run_can_be_pasted() {
        let mut run = fixture::complete();
        for first in [vec!["cargo", "xtask"], vec![TWO_WORDS]] {
            run.manifest.command = first.into_iter().chain(ODD).map(str::to_owned).collect();
            let line = command(&run);
            assert!(!line.contains(|letter| is_hidden(letter) || letter == '\t'), "{line:?}");
            let seed = run.manifest.seed.to_string();
            let expected: Vec<&str> = std::iter::once("xtask").chain(ODD).chain(["--seed", &seed]).collect();
            assert_eq!(read_by_a_shell(&line), expected, "{line}");
        }
    }

    #[test]
    fn the_folder_of_the_run_is_not_named_again() {
        let mut run = fixture::complete();
        let words = ["cargo", "xtask", "bench", "--out", "a folder", "--quick", "--out=b", "--seed", "1"];
        run.manifest.command = words.map(str::to_owned).to_vec();
        assert_eq!(command(&run), "cargo xtask bench --quick --seed 1");
    }

    #[test]
    fn the_arguments_of_a_program_of_ones_own_stay_last() {
        let mut run = fixture::complete();
        let given = "cargo xtask bench --program a/b --quick --env=A=b --dir c:/d -- --out x --seed";
        run.manifest.command = given.split(' ').map(str::to_owned).collect();
        let origin = results::own_program::OriginRecord::Pair { native: "a".to_owned(), wasm: "b".to_owned() };
        run.manifest.own_program = Some(results::own_program::OwnProgramRecord { name: "b".to_owned(), origin });
        let seed = run.manifest.seed;
        let options = "cargo xtask bench --program a/b --quick --env=A=b --dir c:/d";
        assert_eq!(command(&run), format!("{options} --seed {seed} -- --out x --seed"));
        let cell = command_of_cells(&run, "array-sum", &["native/process"]);
        let own = "cargo xtask bench --program a/b --env=A=b --dir c:/d --bench array-sum --case native/process";
        assert!(cell.starts_with(own) && cell.ends_with(" -- --out x --seed"), "{cell}");
    }

    #[test]
    fn a_seed_that_was_given_is_not_given_twice() {
        let mut run = fixture::complete();
        for given in [&["--seed", "5"][..], &["--seed=5"]] {
            run.manifest.command = ["cargo", "xtask", "bench"].iter().chain(given).map(ToString::to_string).collect();
            assert_eq!(command(&run).matches("--seed").count(), 1);
        }
    }
}
