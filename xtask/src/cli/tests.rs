//! Tests of the command line as a whole.

use clap::{Arg, Command, CommandFactory as _, Parser as _};

use super::Cli;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// Every option of every subcommand.
fn options() -> Vec<(Command, Arg)> {
    let commands: Vec<Command> = Cli::command().get_subcommands().cloned().collect();
    let of = |command: Command| {
        let options: Vec<Arg> = command.get_opts().cloned().collect();
        options.into_iter().map(move |option| (command.clone(), option))
    };
    commands.into_iter().flat_map(of).collect()
}

/// The error of a command with one option.
fn refused(command: &Command, option: &Arg, value: &str) -> Option<String> {
    let positional: &[&str] = match command.get_name() {
        "run" => &["native/process"],
        "compare" => &["a", "b"],
        _ => &[],
    };
    // What some need beside them.
    let with: &[&str] = match option.get_id().as_str() {
        "budget" => &["--until", "5"],
        "first_use_rounds" => &["--first-use"],
        _ => &[],
    };
    let flag = format!("--{}", option.get_long().unwrap());
    let words = ["cargo xtask", command.get_name()];
    let all = words.iter().chain(positional).chain(with).copied().chain([flag.as_str(), value]);
    Cli::try_parse_from(all).err().map(|error| error.to_string())
}

#[test]
fn a_range_is_stated_in_the_help_and_where_it_is_left() {
    let mut ranged = 0;
    for (command, option) in options() {
        let unit = option.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
        if !["N", "SECONDS", "MINUTES", "PERCENT"].contains(&unit) {
            continue;
        }
        ranged += 1;
        let help = option.get_help().unwrap().to_string();
        let name = format!("{} --{}", command.get_name(), option.get_long().unwrap());
        let (_, range) = help.split_once("[range: ").unwrap_or_else(|| panic!("{name} states no range: {help}"));
        let (range, _) = range.split_once(']').unwrap();
        let (least, most) = range.split_once(" to ").unwrap();
        let above = least.strip_prefix("above ");
        let least_refused = refused(&command, &option, above.unwrap_or(least));
        assert_eq!(least_refused.is_some(), above.is_some(), "{name}: {least_refused:?}");
        assert_eq!(refused(&command, &option, most), None, "{name}");
        let beyond = (most.parse::<u128>().unwrap() + 1).to_string();
        for value in ["-1", &beyond, "x"] {
            let error = refused(&command, &option, value).unwrap_or_else(|| panic!("{name} takes {value}"));
            assert!(error.contains(most) && error.contains("it must be a"), "{name} {value}: {error}");
        }
    }
    assert!(ranged > 10, "{ranged} options have a range");
}

#[test]
fn only_programs_stand_under_the_heading_of_programs() {
    let mut programs = 0;
    for (command, option) in options() {
        let id = option.get_id().as_str();
        let is_program = ["containerd", "ctr", "runc", "wasmedge", "containerd_address", "mirror"].contains(&id);
        let heading = option.get_help_heading().filter(|heading| heading.starts_with("Programs"));
        assert_eq!(heading.is_some(), is_program, "{} {id}", command.get_name());
        programs += usize::from(is_program);
    }
    assert!(programs >= 6);
}
