//! From what was asked for to benches.

use super::*;

fn wanted(base: &Path, bench: WantedBench) -> Wanted {
    let origin = Origin::Pair(Pair { native: "a".into(), wasm: "a.wasm".into() });
    Wanted { base: base.to_path_buf(), origin, benches: vec![bench] }
}

fn error(base: &Path, bench: WantedBench) -> String {
    format!("{:#}", benches(&wanted(base, bench), "tool").unwrap_err())
}

#[test]
fn a_name_is_made_fit_for_an_image() {
    for (given, made) in [("My_Tool.rs", "my-tool-rs"), ("--x--", "x"), ("grüße", "gr-e"), ("", "program")] {
        assert_eq!(image_name(given), made);
    }
}

#[test]
fn one_bench_is_the_headline_and_is_judged_by_native() {
    let args = vec!["a b".to_owned(), "\"q\"\n".to_owned(), "ü{n}".to_owned()];
    let bench = WantedBench { args: args.clone(), ..WantedBench::default() };
    let [bench] = &benches(&wanted(Path::new("/"), bench), "tool").unwrap()[..] else { panic!("one bench") };
    assert_eq!((bench.name.as_str(), bench.role, &bench.args), ("tool", Some(Role::Headline), &args));
    assert_eq!(
        (&bench.expected, &bench.input),
        (&Expected::FirstNative, &Input { stdin: Reads::Empty, ..Input::default() })
    );
}

#[test]
fn a_sweep_is_a_bench_per_number_without_a_headline() {
    let dir = tempfile::tempdir().unwrap();
    for n in [1, 10, 100] {
        std::fs::write(dir.path().join(format!("in {n}")), "").unwrap();
    }
    let sweep = Some(Sweep::parse("n=1,10,100").unwrap());
    let bench = WantedBench {
        args: vec!["--n={n}".to_owned()],
        stdin: Some("in {n}".into()),
        sweep: sweep.clone(),
        ..WantedBench::default()
    };
    let all = benches(&wanted(dir.path(), bench), "tool").unwrap();
    assert_eq!(all.iter().map(|bench| bench.name.as_str()).collect::<Vec<_>>(), ["tool/1", "tool/10", "tool/100"]);
    assert_eq!((all[1].args[0].as_str(), all[1].role), ("--n=10", None));
    assert!(matches!(&all[2].input.stdin, Reads::File(path) if path.ends_with("in 100")));
    let without = WantedBench { sweep, ..WantedBench::default() };
    assert!(error(dir.path(), without).contains("no argument contains `{n}`"));
}

#[test]
fn what_is_not_there_is_named_with_its_bench() {
    let dir = tempfile::tempdir().unwrap();
    let bench = WantedBench::default;
    for (bench, says) in [
        (WantedBench { stdin: Some("in.json".into()), ..bench() }, "in.json`"),
        (WantedBench { stdin: Some(".".into()), ..bench() }, "is no file"),
        (WantedBench { dirs: vec!["none:/d".to_owned()], ..bench() }, "no folder `none`"),
        (WantedBench { dirs: vec![".:/d".to_owned(), ".:/d/".to_owned()], ..bench() }, "two folders are to be `/d`"),
        (WantedBench { env: vec!["A=1".to_owned(), "A=2".to_owned()], ..bench() }, "`A` is set twice"),
        (WantedBench { output: WantedOutput::File("out".into()), ..bench() }, "out`"),
        (
            WantedBench { output: WantedOutput::Pattern("(".to_owned()), ..bench() },
            "the pattern for the output is none",
        ),
    ] {
        let error = error(dir.path(), bench);
        assert!(error.starts_with("bench `tool`: ") && error.contains(says), "{error}");
    }
}
