//! Completions for `cargo xtask` as it is typed: Clap makes them for one program, and these are two words, of which the
//! first has completions of its own.
//!
//! zsh needs nothing: Cargo's own completion there calls `_cargo-xtask`. Not here: what can be completed (`cli`).

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;

/// The program of which Clap makes the completions of a shell. For zsh and fish it is what Cargo would look for when it is
/// asked for `cargo xtask`; in Clap's script for bash the parts of a name with a hyphen do not find each other.
const fn program(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => "xtask",
        _ => "cargo-xtask",
    }
}

/// The words up to `xtask` become one, the program's; everything else goes to the completion that `cargo` had.
const BASH: &str = r#"
_cargo_xtask_words() {
    local at=1
    [[ ${COMP_WORDS[1]} == +* ]] && at=2
    if (( COMP_CWORD <= at )) || [[ ${COMP_WORDS[at]} != xtask ]]; then
        [[ -n ${_cargo_before_xtask} ]] && "${_cargo_before_xtask}" "$@"
        return
    fi
    local -a words=(xtask "${COMP_WORDS[@]:at + 1}")
    local cword=$(( COMP_CWORD - at ))
    local -a COMP_WORDS=("${words[@]}")
    local COMP_CWORD=${cword}
    _xtask xtask "$2" "${words[cword - 1]}"
}

if ! complete -p cargo 2>/dev/null | grep -q -- '-F _cargo_xtask_words '; then
    # What bash-completion would load at the first use, it has to load now.
    for _cargo_loader in _comp_load __load_completion _completion_loader; do
        declare -F "${_cargo_loader}" >/dev/null && { "${_cargo_loader}" cargo >/dev/null 2>&1; break; }
    done
    _cargo_before_xtask=$(complete -p cargo 2>/dev/null | sed -n 's/.*-F \([^ ]*\) .*/\1/p')
    unset _cargo_loader
    complete -F _cargo_xtask_words -o bashdefault -o default cargo
fi
"#;

const FISH: &str = r"
function __cargo_xtask_words
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l at 3
    string match --quiet -- '+*' $words[2]; and set at 4
    complete --do-complete (string join ' ' -- cargo-xtask (string escape -- $words[$at..-1]) (commandline --current-token --cut-at-cursor))
end
complete --command cargo --no-files --condition '__fish_seen_subcommand_from xtask' --arguments '(__cargo_xtask_words)'
";

/// The script for a shell.
pub fn script(shell: Shell) -> Vec<u8> {
    // Clap panics where it can not write: stdout may be full, a vector is not.
    let mut script = Vec::new();
    let typed = Cli::command();
    let shown = typed.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let mut command = Command::new(program(shell)).args(typed.get_arguments()).subcommands(shown);
    clap_complete::generate(shell, &mut command, program(shell), &mut script);
    script.extend_from_slice(match shell {
        Shell::Bash => BASH.as_bytes(),
        Shell::Fish => FISH.as_bytes(),
        _ => b"",
    });
    script
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::Cmd;

    /// What bash offers for these words, the last of which is being typed.
    fn offered(words: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("completions");
        std::fs::write(&file, script(Shell::Bash)).unwrap();
        // As readline does it: the function is called with program, word and the word before.
        let driver = format!(
            "_own() {{ COMPREPLY=(own:$2); }}\ncomplete -F _own cargo\nsource '{0}'\nsource '{0}'\n\
             COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))\n\
             function=$(complete -p cargo | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\n\
             $function cargo \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            file.display()
        );
        let output = Cmd::new("bash").args(["--norc", "--noprofile", "-c", &driver]).run().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        output.text().lines().map(str::to_owned).collect()
    }

    #[test]
    fn bash_completes_cargo_xtask_as_it_is_typed() {
        let commands = offered("cargo xtask ''");
        assert!(
            ["bench", "report", "doctor"].iter().all(|name| commands.contains(&(*name).to_owned())),
            "{commands:?}"
        );
        assert_eq!(offered("cargo xtask rep"), ["report"]);
        assert_eq!(offered("cargo +nightly xtask rep"), ["report"]);
        assert_eq!(offered("cargo xtask bench --scr"), ["--scratch"]);
        assert_eq!(offered("cargo xtask report --format ''"), ["text", "json"]);
    }

    #[test]
    fn what_cargo_completed_before_it_still_does() {
        assert_eq!(offered("cargo bui"), ["own:bui"]);
        assert_eq!(offered("cargo xta"), ["own:xta"]);
        assert_eq!(offered("cargo +ni"), ["own:+ni"]);
    }

    #[test]
    fn other_shells_get_theirs() {
        for shell in [Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            assert!(String::from_utf8(script(shell)).unwrap().contains("bench"), "{shell}");
        }
        assert!(String::from_utf8(script(Shell::Zsh)).unwrap().contains("_cargo-xtask() {"));
    }
}
