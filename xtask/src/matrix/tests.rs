//! The files of this project are accepted, and everything that can not be is refused with its line.

use super::*;

/// The matrix of this project.
pub fn ours() -> Matrix {
    parse(OURS, &images()).unwrap()
}

/// The image definitions of this project.
fn images() -> Vec<Definition> {
    oci::definition::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../images")).unwrap()
}

const OURS: Texts<'static> = Texts {
    engines: include_str!("../../../matrix/engines.toml"),
    runtimes: include_str!("../../../matrix/runtimes.toml"),
    cases: include_str!("../../../matrix/cases.toml"),
};

fn select(patterns: &[&str], sets: &[&str]) -> Result<Vec<String>, Misnamed> {
    let [patterns, sets] = [patterns, sets].map(|texts| texts.iter().map(ToString::to_string).collect::<Vec<_>>());
    Ok(ours().select(&patterns, &sets)?.iter().map(ToString::to_string).collect())
}

#[test]
fn the_default_set_is_the_first_editions_and_means_the_same() {
    let ours = ours();
    let first = results::case::FirstEdition::read().cases;
    let names: Vec<&str> = first.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(select(&[], &[]).unwrap(), names);
    for old in &first {
        let new = ours.case(&old.name).unwrap();
        let meaning = |case: &Case| (case.form, case.mode, case.runtime.clone(), case.baseline.clone());
        assert_eq!(meaning(new), meaning(old));
        assert_eq!((new.engine_name(), &new.control), (old.engine_name(), &old.control));
    }
}

#[test]
fn case_patterns_are_globs_and_sets_add_to_them() {
    assert!(select(&["*/process"], &[]).unwrap().contains(&"wasm-aot/process".to_owned()));
    assert!(!select(&["*/process"], &[]).unwrap().contains(&"native/runc".to_owned()));
    // What has to be fetched or built first is not meant by a pattern, but by its name, its set, or one that matches nothing else.
    assert_eq!(select(&["native/*"], &[]).unwrap(), ["native/process", "native/runc", "native/wasmedge"]);
    assert_eq!(select(&["native/gvisor"], &[]).unwrap(), ["native/gvisor"]);
    assert!(select(&["*/wasmtime"], &[]).unwrap().contains(&"wasmtime-jit/wasmtime".to_owned()));
    let patterns = ["native/*".to_owned()];
    assert!(ours().matching(&patterns, &[]).unwrap().iter().any(|case| case.name == "native/gvisor"));
    assert_eq!(ours().matching(&[], &[]).unwrap(), ours().cases);
    let both = select(&["native/process"], &["runtimes"]).unwrap();
    assert!(both.contains(&"native/process".to_owned()) && both.contains(&"native/runc".to_owned()));
    assert_eq!(select(&[], &["all"]).unwrap().len(), ours().cases.len());
    assert!(select(&["docker"], &[]).unwrap_err().to_string().contains("`native/runc`"));
    let error = select(&[], &["runtime"]).unwrap_err().to_string();
    assert!(error.contains("did you mean `runtimes`") && error.contains("`all`"), "{error}");
}

/// Each change of one of our files, and what its refusal says.
fn refusals(of: fn(&str) -> Texts<'_>, text: &str, changes: &[(&str, &str, &[&str])]) {
    for (from, to, says) in changes {
        assert!(text.contains(from), "{from}");
        let wrong = text.replacen(from, to, 1);
        let error = format!("{:#}", parse(of(&wrong), &images()).expect_err(to));
        assert!(says.iter().all(|words| error.contains(words)), "{to}: {error}");
    }
}

#[test]
fn a_wrong_engine_is_refused() {
    fn of(engines: &str) -> Texts<'_> {
        Texts { engines, ..OURS }
    }
    refusals(
        of,
        OURS.engines,
        &[
            ("program =", "programme =", &["`engines.toml`", "line", "unknown field `programme`"]),
            ("why = \"\"\"", "what = \"\"\"", &["line", "unknown field `what`"]),
            ("[engine.modes.interpreter]", "[engine.modes.native]", &["line", "runs no native programs"]),
            ("\"{file}\"]", "\"file\"]", &["line", "no argument contains `{file}`"]),
            ("form = \"wasm\"", "form = \"elf\"", &["line", "unknown variant `elf`", "`wasm`"]),
            ("form = \"wasm-aot\"", "form = \"cwasm\"", &["line", "nothing of this engine makes `cwasm`", "`compile`"]),
            (
                "[engine.compile]\nform = \"wasm-aot\"",
                "[engine.compile]\nform = \"native\"",
                &["line", "`native` is made by the toolchain"],
            ),
            ("\"{output}\"", "\"out\"", &["line", "no argument contains `{output}`"]),
            ("name = \"wasmedge\"", "name = \"WasmEdge\"", &["line", "`WasmEdge` is no name"]),
        ],
    );
}

#[test]
fn a_wrong_runtime_is_refused() {
    fn of(runtimes: &str) -> Texts<'_> {
        Texts { runtimes, ..OURS }
    }
    refusals(
        of,
        OURS.runtimes,
        &[
            (
                "behaviour = \"oci\"",
                "behaviour = \"docker\"",
                &["`runtimes.toml`", "line", "unknown variant `docker`", "`oci`"],
            ),
            ("behaviour = \"oci\"", "behaviour = \"cri\"", &["line", "takes `program`"]),
            ("handler = \"runc\"\n", "", &["line", "it needs `handler`"]),
            ("handler = \"runc\"", "handler = \"process\"", &["line", "`process` makes no containers"]),
            ("handler = \"runc\"", "handler = \"cri-wasmedge\"", &["line", "no runtime above `cri-wasmedge`"]),
            ("pod = \"own\"\n", "", &["line", "it needs `pod`"]),
            (
                "pod = \"own\"\nruns = [\"native\"]",
                "pod = \"own\"\nruns = [\"aot\"]",
                &["line", "`runc` does not run wasm-aot"],
            ),
            ("behaviour = \"oci\"", "behaviour = \"oci\"\npod = \"own\"", &["line", "only `cri` has"]),
            ("program = \"runc\"\n", "", &["line", "it needs `program`"]),
            ("engine = \"wasmedge\"", "engine = \"v8\"", &["line", "there is no engine `v8`", "`wasmedge`"]),
            ("name = \"runc\"", "name = \"process\"", &["line", "`process` is defined twice"]),
            (
                "title = \"a process\"\n",
                "title = \"a process\"\nprogram = \"x\"\n",
                &["line", "a process has no `program`, `args`"],
            ),
            ("behaviour = \"shim\"", "behaviour = \"shim\"\nargs = [\"b\"]", &["line", "a shim has no `args`"]),
            ("why = \"The reference", "why = \"\"\nwhy2 = \"The reference", &["line", "why2"]),
        ],
    );
}

#[test]
fn a_wrong_case_is_refused() {
    fn of(cases: &str) -> Texts<'_> {
        Texts { cases, ..OURS }
    }
    refusals(
        of,
        OURS.cases,
        &[
            (
                "engine = \"wasmedge\"",
                "engine = \"v8\"",
                &["`cases.toml`", "line", "there is no engine `v8`", "`wasmedge`"],
            ),
            ("engine = \"wasmedge\"\n", "", &["line", "a module needs an `engine`"]),
            ("runtime = \"runc\"", "runtime = \"docker\"", &["line", "there is no runtime `docker`", "`runc`"]),
            (
                "runtime = \"runc\"",
                "runtime = \"runc\"\nimage = \"alpine\"",
                &["line", "there is no image `alpine` of the form `native`", "`native`"],
            ),
            (
                "runtime = \"runc\"",
                "runtime = \"runc\"\nimage = \"wasm\"",
                &["line", "there is no image `wasm` of the form `native`"],
            ),
            (
                "runtime = \"process\"",
                "runtime = \"process\"\nimage = \"native\"",
                &["line", "a process has no `image`"],
            ),
            (
                "mode = \"native\"\nruntime = \"runc\"",
                "mode = \"aot\"\nengine = \"wasmedge\"\nruntime = \"runc\"",
                &["line", "`runc` does not run wasm-aot", "`native`"],
            ),
            (
                "mode = \"native\"",
                "mode = \"native\"\nengine = \"wasmedge\"",
                &["line", "a native program has no `engine`"],
            ),
            ("mode = \"interpreter\"", "mode = \"jit\"", &["line", "has no mode wasm-jit"]),
            (
                "baseline = \"native/process\"",
                "baseline = \"native/docker\"",
                &["line", "there is no case `native/docker`"],
            ),
            (
                "mode = \"native\"\nruntime = \"process\"",
                "mode = \"native\"\nruntime = \"process\"\nbaseline = \"native/process\"",
                &["line", "is itself compared with"],
            ),
            (
                "mode = \"native\"\nruntime = \"runc\"",
                "mode = \"native\"\nruntime = \"runc\"\nbaseline = \"native/wasmedge\"",
                &["line", "is itself compared with"],
            ),
            ("name = \"native/runc\"", "name = \"native/process\"", &["line", "`native/process` is defined twice"]),
            ("why = \"What a container costs today.\"", "why = \" \"", &["line", "`why` is empty"]),
        ],
    );
    let error = format!("{:#}", parse(of(""), &images()).unwrap_err());
    assert!(error.contains("it defines no case"), "{error}");
}

#[test]
fn a_form_whose_default_image_is_not_defined_is_refused_at_the_case() {
    let without: Vec<Definition> = images().into_iter().filter(|image| image.name != "wasm-aot").collect();
    let error = format!("{:#}", parse(OURS, &without).unwrap_err());
    assert!(error.contains("line") && error.contains("no image `wasm-aot` of the form `wasm-aot`"), "{error}");
    let other = oci::definition::parse("native-2", include_str!("../../../images/native.toml")).unwrap();
    let cases = OURS.cases.replacen("runtime = \"runc\"", "runtime = \"runc\"\nimage = \"native-2\"", 1);
    let with = parse(Texts { cases: &cases, ..OURS }, &[images(), vec![other]].concat()).unwrap();
    assert_eq!(with.case("native/runc").unwrap().image.as_deref(), Some("native-2"));
}

#[test]
fn published_figures_are_put_beside_rows_that_there_are() {
    let claims = results::claims::parse(include_str!("../../../results/claims.toml"), &ours().cases).unwrap();
    assert!(claims.len() > 100, "{}", claims.len());
}

#[test]
fn a_row_that_is_refused_says_in_which_words_and_why() {
    let refused: Vec<Case> = ours().cases.into_iter().filter(|case| case.refused.is_some()).collect();
    assert!(!refused.is_empty());
    for case in refused {
        let refusal = case.refused.as_ref().unwrap();
        assert_eq!(case.expected(&format!("it said: {}", refusal.says)), Some(refusal.why.as_str()));
        assert_eq!(case.expected("something else"), None);
    }
    let texts = Texts { cases: &OURS.cases.replace("says = \"unknown", "says = \" \"\nwhys = \"unknown"), ..OURS };
    assert!(parse(texts, &images()).is_err());
}
