//! Tests only: the cases of this project's matrix, as far as claims look at them.

use crate::case::{Case, Engine, Kind, Mode, Runtime};

const CASES: &str = include_str!("../../../../matrix/cases.toml");
const RUNTIMES: &str = include_str!("../../../../matrix/runtimes.toml");

/// The project's own claims.
pub const OURS: &str = include_str!("../../../../results/claims.toml");

/// Every case of the matrix.
pub fn cases() -> Vec<Case> {
    let table = |text: &str, key: &str| -> Vec<toml::Table> {
        let file: toml::Table = toml::from_str(text).unwrap();
        file[key].as_array().unwrap().iter().map(|entry| entry.as_table().unwrap().clone()).collect()
    };
    let runtimes = table(RUNTIMES, "runtime");
    let text = |table: &toml::Table, key: &str| table.get(key).map(|value| value.as_str().unwrap().to_owned());
    let case = |table: &toml::Table| {
        let name = text(table, "runtime").unwrap();
        let runtime = runtimes.iter().find(|runtime| text(runtime, "name").as_deref() == Some(&name)).unwrap();
        let container = text(runtime, "behaviour").as_deref() != Some("process");
        let mode: Mode = table["mode"].clone().try_into().unwrap();
        let form = if mode == Mode::Native { Kind::Native } else { Kind::Wasm };
        Case {
            name: text(table, "name").unwrap(),
            form,
            mode,
            engine: text(table, "engine").map(|name| Engine { name, version: None }),
            runtime: Runtime { name, title: String::new(), container, pod: None, version: None },
            image: container.then(|| text(table, "image").unwrap_or_else(|| form.name().to_owned())),
            baseline: text(table, "baseline"),
            control: None,
            sets: Vec::new(),
            why: String::new(),
            refused: None,
        }
    };
    table(CASES, "case").iter().map(case).collect()
}
