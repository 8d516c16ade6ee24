//! A bench as a run stores it. Of what its variables hold it stores digests.

use anyhow::Context as _;

use crate::bench::{Bench, Expected, Folder, Input, Reads, Variable};
use files::sha256_file;
use oci::digest::Digest;
use results::BenchRecord;
use results::own_program::{FolderRecord, InputRecord, JudgedBy, StdinRecord, VariableRecord};

/// The record of a bench.
///
/// # Errors
/// When its standard input can not be read.
pub fn bench(bench: &Bench) -> anyhow::Result<BenchRecord> {
    let (judged_by, expected_sha256) = match &bench.expected {
        Expected::Exactly(bytes) => (JudgedBy::Expected, Digest::of(bytes).hex()),
        // Known when the first of its runs has ended.
        Expected::FirstNative => (JudgedBy::FirstNative, String::new()),
        Expected::Pattern(text) => (JudgedBy::Pattern(text.clone()), String::new()),
        Expected::Anything => (JudgedBy::Nothing, String::new()),
    };
    Ok(BenchRecord {
        name: bench.name.clone(),
        program: bench.program.clone(),
        args: bench.args.clone(),
        expected_sha256,
        judged_by,
        input: input(&bench.input)?,
        why: bench.why.clone(),
        role: bench.role,
        sweep: bench.sweep.clone(),
        on_node: None,
    })
}

fn input(input: &Input) -> anyhow::Result<InputRecord> {
    let stdin = match &input.stdin {
        Reads::File(path) => Some(path),
        Reads::Nothing | Reads::Empty => None,
    };
    let stdin = stdin.map(|path| {
        let found = path.metadata().with_context(|| format!("can not read `{}`", path.display()))?;
        anyhow::Ok(StdinRecord { sha256: sha256_file(path)?, size_bytes: found.len() })
    });
    let variable =
        |variable: &Variable| VariableRecord { name: variable.name.clone(), value_sha256: variable.digest().hex() };
    let folder = |folder: &Folder| FolderRecord { host: folder.given.clone(), guest: folder.guest.clone() };
    Ok(InputRecord {
        stdin: stdin.transpose()?,
        env: input.env.iter().map(variable).collect(),
        folders: input.folders.iter().map(folder).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Selection, Tracing};

    #[test]
    fn what_a_variable_holds_is_not_stored() {
        let dir = tempfile::tempdir().unwrap();
        let stdin = dir.path().join("in");
        std::fs::write(&stdin, "12345").unwrap();
        let env = vec![Variable::parse("TOKEN=hunter2", |_| None).unwrap()];
        let folders = vec![Folder::parse(".:/data", dir.path()).unwrap()];
        let given = Bench {
            name: "tool".to_owned(),
            program: "tool".to_owned(),
            args: vec!["a b".to_owned()],
            input: Input { stdin: Reads::File(stdin), env, folders },
            expected: Expected::FirstNative,
            why: "because".to_owned(),
            role: None,
            selection: Selection::Default,
            sweep: None,
            tracing: Tracing::AsItIs,
        };
        let stored = serde_json::to_string(&bench(&given).unwrap()).unwrap();
        assert!(!stored.contains("hunter2") && stored.contains(&Digest::of(b"hunter2").hex()), "{stored}");
        assert!(!stored.contains(&*dir.path().to_string_lossy()), "{stored}");
        let read: BenchRecord = serde_json::from_str(&stored).unwrap();
        assert_eq!((read.judged_by, read.input.stdin.unwrap().size_bytes), (JudgedBy::FirstNative, 5));
    }
}
