//! A module without a container: `containerd-shim-… module [--mode MODE] FILE ARGUMENT…`. The same engine as in the
//! shim's containers, set up in the same way, as a process: what a container takes beyond it is the container's. No
//! directory is opened for the module.

use anyhow::{Context as _, Result, bail};

use crate::{Engine, Module};

/// The first argument that asks for this.
pub const COMMAND: &str = "module";

/// Runs the module to its end; the exit status is that of a container.
///
/// # Errors
/// When no file is named, it can not be read, or the engine has no such mode.
pub fn run(engine: &Engine, arguments: &[String]) -> Result<i32> {
    let (mode, arguments) = match arguments {
        [option, mode, rest @ ..] if option == "--mode" => (Some(mode.as_str()), rest),
        all => (None, all),
    };
    if let Some(mode) = mode.filter(|mode| !engine.modes.contains(mode)) {
        bail!(
            "`--mode {mode}`: {} has {}",
            engine.name,
            if engine.modes.is_empty() { "no choice".to_owned() } else { engine.modes.join(", ") }
        );
    }
    let file = arguments.first().with_context(|| format!("usage: {COMMAND} [--mode MODE] FILE ARGUMENT…"))?;
    let bytes = std::fs::read(file).with_context(|| format!("can not read `{file}`"))?;
    let environment: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    let module =
        Module { bytes: &bytes, function: "_start", arguments, environment: &environment, directories: &[], mode };
    Ok((engine.load)()?.run(&module).unwrap_or_else(|failure| {
        eprintln!("{}: `{file}`: {failure}", engine.name);
        failure.exit_code()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, Loaded};

    struct Echo;

    const ECHO: Engine = Engine {
        name: "echo",
        variables: &[],
        modes: &["fast"],
        owns: |_| false,
        load: || Ok(Box::new(Echo)),
        load_linked: || Ok(Box::new(Echo)),
    };

    impl Loaded for Echo {
        fn run(&self, module: &Module<'_>) -> Result<i32, Failure> {
            assert!(module.directories.is_empty() && module.function == "_start");
            if module.bytes.is_empty() {
                return Err(Failure::NotAModule);
            }
            Ok(i32::try_from(module.arguments.len()).unwrap() + if module.mode.is_some() { 10 } else { 0 })
        }
    }

    #[test]
    fn a_module_gets_its_arguments_and_mode_and_gives_its_exit_status() {
        let dir = std::env::temp_dir().join(format!("shim-direct-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (file, empty) = (dir.join("a.wasm"), dir.join("b.wasm"));
        std::fs::write(&file, "x").unwrap();
        std::fs::write(&empty, "").unwrap();
        let run = |words: &[&str]| run(&ECHO, &words.iter().map(ToString::to_string).collect::<Vec<_>>());
        let [file, empty] = [file, empty].map(|path| path.to_string_lossy().into_owned());
        assert_eq!(run(&[&file, "--n", "5"]).unwrap(), 3);
        assert_eq!(run(&["--mode", "fast", &file]).unwrap(), 11);
        assert_eq!(run(&[&empty]).unwrap(), 126);
        assert!(run(&["--mode", "slow", &file]).unwrap_err().to_string().contains("echo has fast"));
        assert!(run(&[]).unwrap_err().to_string().contains("usage"));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
