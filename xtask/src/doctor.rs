//! Preflight: each finding with its remedy.

// STUBS
#[derive(serde::Serialize, PartialEq)]
pub enum Status {
    Ok,
    Warn,
    Missing,
}
#[derive(serde::Serialize)]
pub struct Finding {
    pub status: Status,
}
pub fn examine(_w: &crate::workspace::Workspace) -> Vec<Finding> {
    Vec::new()
}
pub fn text(_f: &[Finding]) -> String {
    String::new()
}
