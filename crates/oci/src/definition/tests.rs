//! Every refusal of a definition, with its line, and what an accepted one says.

use super::*;

const WASM: &str = r#"kind = "wasm"
why = "because"
platform = "wasip1/wasm"

[layer]
compression = "gzip"
path = "/{program}.wasm"
mode = 0o644

[config]
entrypoint = ["/{program}.wasm"]
env = ["A=b"]
working_dir = "/"
labels = { "x.y" = "{program}" }
"#;

#[test]
fn a_definition_gives_the_settings_of_a_program() {
    let settings = parse("wasm", WASM).unwrap().for_program("sum");
    assert_eq!(settings.path, "/sum.wasm");
    assert_eq!(settings.entrypoint, ["/sum.wasm"]);
    assert_eq!(settings.labels["x.y"], "sum");
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_expectation() {
    for (before, after, line, expectation) in [
        ("kind = \"wasm\"", "kind = \"native\"", 1, "expected `wasm`, for the definition named like a kind"),
        ("\"because\"", "\" \"", 2, "say why"),
        ("wasip1/wasm", "linux/amd64", 3, "expected `wasip1/wasm` or `wasi/wasm`"),
        ("\"gzip\"", "\"lz4\"", 6, "expected `none`, `gzip` or `zstd`"),
        ("\"gzip\"", "\"gzip\"\nlevel = 12", 7, "expected 1 to 9"),
        ("path = \"/", "path = \"", 7, "absolute"),
        ("path = \"/", "path = \"/../", 7, "no `..`"),
        ("0o644", "0o4755", 8, "at most 0o777"),
        ("[\"/{program}.wasm\"]", "[\"/bin/sh\"]", 11, "expected the program"),
        ("A=b", "=b", 12, "`NAME=value`"),
        ("working_dir = \"/\"", "working_dir = \"x\"", 13, "absolute"),
        ("\"{program}\"", "\"{name}\"", 14, "other than `{program}`"),
    ] {
        let error = parse("wasm", &WASM.replacen(before, after, 1)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("line {line}: ")) && error.contains(expectation), "{error}");
    }
}

#[test]
fn unknown_and_missing_keys_and_broken_toml_are_errors_with_their_line() {
    for (before, after, said) in [
        ("mode", "modus", "line 8"),
        ("why = \"because\"\n", "", "missing field `why`"),
        ("[layer]", "[layer", "line 5"),
        ("kind = \"wasm\"", "kind = \"jvm\"", "line 1"),
    ] {
        let error = parse("wasm", &WASM.replacen(before, after, 1)).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn every_kind_has_a_definition_of_its_name_before_its_others() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../images");
    let definitions = load(&dir).unwrap();
    for kind in Kind::ALL {
        let first = definitions.iter().find(|definition| definition.kind == kind);
        assert!(first.is_some_and(Definition::is_default), "{kind}");
    }
}

#[test]
fn a_kind_may_have_several_definitions_under_names_that_are_tags() {
    let other = parse("wasm-2", WASM).unwrap();
    assert_eq!((other.name.as_str(), other.kind, other.is_default()), ("wasm-2", Kind::Wasm, false));
    for name in ["", "-wasm", "Wasm", "wasm_2", "wasm.zstd", "latest"] {
        let error = parse(name, WASM).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}` is no name")), "{error}");
    }
}

#[test]
fn a_broken_file_and_an_empty_folder_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = format!("{:#}", load(dir.path()).unwrap_err());
    assert!(error.contains("holds no image definition"), "{error}");
    std::fs::write(dir.path().join("wasm.toml"), "kind = 3").unwrap();
    let error = format!("{:#}", load(dir.path()).unwrap_err());
    assert!(error.contains("wasm.toml` is not") && error.contains("line 1"), "{error}");
}

const BASED: &str = r#"kind = "native"
why = "because"
platform = "linux/amd64"

[base]
packages = ["libc6", "busybox-static"]
why = "something to stand on"
leave_out = ["/usr/share/doc", "/usr/share/man"]
keep = ["/usr/share/doc/*/copyright"]
links = { "/usr/bin/sh" = "busybox" }

[layer]
compression = "gzip"
path = "/{program}"
mode = 0o755

[config]
entrypoint = ["/{program}"]
working_dir = "/"
"#;

#[test]
fn a_base_is_packages_and_what_becomes_of_their_files() {
    let base = parse("native-based", BASED).unwrap().base.unwrap();
    assert_eq!(base.packages, ["libc6", "busybox-static"]);
    assert_eq!(base.links["usr/bin/sh"], "busybox");
    assert_eq!(parse("wasm", WASM).unwrap().base, None);
}

#[test]
fn what_is_wrong_with_a_base_is_said_with_its_line() {
    for (before, after, line, expectation) in [
        ("[\"libc6\", \"busybox-static\"]", "[]", 6, "`packages` is empty"),
        ("\"libc6\"", "\"libC6\"", 6, "`libC6` is no name of a package"),
        ("\"libc6\"", "\"--help\"", 6, "`--help` is no name of a package"),
        ("\"something to stand on\"", "\"\"", 7, "`why` is empty"),
        ("\"/usr/share/man\"", "\"usr/share/man\"", 8, "expected `/` in front"),
        ("\"/usr/share/man\"", "\"/usr/share/man/\"", 8, "none behind"),
        ("\"/usr/share/man\"", "\"/usr/[\"", 8, "no pattern"),
        ("\"/usr/bin/sh\"", "\"/usr/../sh\"", 10, "no `..`"),
        ("\"busybox\" }", "\"\" }", 10, "leads nowhere"),
    ] {
        let error = parse("native-based", &BASED.replacen(before, after, 1)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("line {line}: ")) && error.contains(expectation), "{error}");
    }
    let wasm = WASM.replacen("[layer]", "[base]\npackages = [\"libc6\"]\nwhy = \"x\"\n[layer]", 1);
    let error = parse("wasm", &wasm).unwrap_err().to_string();
    assert!(error.contains("packages for `linux/amd64`, and this image is for `wasip1/wasm`"), "{error}");
}

const MODULE: &str = r#"kind = "wasm"
why = "because"
platform = "wasip1/wasm"
form = "module"

[config]
entrypoint = ["/{program}.wasm#run"]
working_dir = "/"
"#;

#[test]
fn a_module_may_be_the_layer_and_has_nothing_of_a_tar_layer() {
    let definition = parse("other", MODULE).unwrap();
    assert_eq!((definition.form, definition.form.compression()), (Form::Module, None));
    assert_eq!(definition.for_program("sum").path, "/sum.wasm");
    let artifact = parse("other", &MODULE.replace("\"module\"", "\"artifact\"")).unwrap();
    assert_eq!(artifact.form, Form::Artifact);
    let layer = "[layer]\ncompression = \"none\"\npath = \"/x\"\nmode = 0o644\n[config]";
    for (before, after, expectation) in [
        ("[config]", layer, "line 4: a module that is the layer has no `[layer]`"),
        ("form = \"module\"\n", "", "`[layer]` is missing"),
        ("kind = \"wasm\"", "kind = \"cwasm\"", "line 4: only a module can be a layer, and `cwasm` is none"),
        ("\"module\"", "\"zip\"", "line 4"),
    ] {
        let error = parse("other", &MODULE.replacen(before, after, 1)).unwrap_err().to_string();
        assert!(error.contains(expectation), "{error}");
    }
}

#[test]
fn a_definition_says_which_of_the_names_of_wasi_is_its_platform() {
    let definition = parse("other", &WASM.replace("wasip1/wasm", "wasi/wasm")).unwrap();
    assert_eq!(definition.platform.to_string(), "wasi/wasm");
}
