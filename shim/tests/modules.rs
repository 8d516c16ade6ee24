//! The modules for the tests in real containers: that each is well-formed text, and says how to run it
//! and what must come out. Running them needs containerd and root, and is `cargo xtask test`'s part.

use std::path::Path;

#[test]
fn every_module_assembles_and_explains_itself() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modules");
    let mut seen = 0;
    for entry in std::fs::read_dir(directory).expect("a directory of modules") {
        let path = entry.expect("a readable directory").path();
        if path.extension().is_none_or(|extension| extension != "wat") {
            continue;
        }
        let name = path.display();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(module.starts_with(b"\0asm\x01\0\0\0"), "{name} is no module");
        for heading in [";; entrypoint: ", ";; run:        ", ";; expect:     "] {
            assert!(text.contains(heading), "{name} has no line that begins with `{heading}`");
        }
        seen += 1;
    }
    assert!(seen > 0, "no module was found");
}
