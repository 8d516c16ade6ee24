//! The ledger of bytes: what shipping a program costs, from the file that was built to the disk of a node.
//!
//! Computed from a manifest alone. Not here: how the records came about.

use serde::{Deserialize, Serialize};

use crate::case::{Case, Kind};
use crate::node::{NodeFile, NodePart, StoredBytes};
use crate::{ArtifactRecord, ImageRecord, Manifest};

/// `summary.json`, `ledger`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// A row per program and case.
    pub arms: Vec<LedgerArm>,
    /// What a node must have once, by case; empty in runs that did not record it.
    pub nodes: Vec<LedgerNode>,
    /// Until how many images a native image takes less of a node's disk than a module's; empty likewise.
    pub disk: Vec<DiskRow>,
}

/// One program as one case ships it. What was not measured or does not exist is absent: a process has no image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerArm {
    /// The program.
    pub program: String,
    /// The case.
    pub case: String,
    /// What the file is: `native` (ELF), `wasm` (a module), or that after a compiler.
    pub form: Kind,
    /// The file.
    pub file_bytes: u64,
    /// All layers as transferred.
    pub layers_compressed_bytes: Option<u64>,
    /// All layers as tar streams.
    pub layers_unpacked_bytes: Option<u64>,
    /// The manifest.
    pub manifest_bytes: Option<u64>,
    /// The config.
    pub config_bytes: Option<u64>,
    /// All that a pull transfers.
    pub transfer_bytes: Option<u64>,
    /// Blocks in the content store after the pull.
    pub content_store_bytes: Option<u64>,
    /// Blocks in the snapshots after the pull.
    pub snapshot_bytes: Option<u64>,
}

impl LedgerArm {
    /// What one image takes of a node's disk.
    pub fn on_node_bytes(&self) -> Option<u64> {
        Some(self.content_store_bytes? + self.snapshot_bytes?)
    }
}

/// What a node must have once for a case, by part, as file lengths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerNode {
    /// The case.
    pub case: String,
    /// A number per part that the case needs.
    pub parts: Vec<PartBytes>,
    /// Their sum.
    pub total_bytes: u64,
    /// The same without what only the engine's compiler needs.
    pub without_compiler_bytes: u64,
    /// The blocks that they take.
    pub disk_bytes: u64,
}

/// The files of one part together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartBytes {
    /// The part.
    pub part: NodePart,
    /// Their lengths.
    pub size_bytes: u64,
}

/// A module's image against the native one on the disk of a node that has what its images need and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiskRow {
    /// The program.
    pub program: String,
    /// The module's case.
    pub case: String,
    /// The native case that it is compared with.
    pub baseline: String,
    /// One image of the case: content store and snapshot.
    pub image_bytes: u64,
    /// One of the baseline.
    pub baseline_image_bytes: u64,
    /// What the node must have once for the case, in blocks.
    pub node_bytes: u64,
    /// For the baseline.
    pub baseline_node_bytes: u64,
    /// What follows.
    pub outcome: DiskOutcome,
    /// So many different images are the last at which that holds; absent where it always does.
    pub images: Option<u64>,
}

/// Which takes less disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskOutcome {
    /// Native, up to so many images.
    NativeUntil,
    /// Native, whatever their number.
    NativeAlways,
    /// The module, up to so many images.
    ModuleUntil,
    /// The module, whatever their number.
    ModuleAlways,
}

impl DiskRow {
    /// What it says, in one sentence.
    pub fn sentence(&self) -> String {
        let (case, baseline, program) = (&self.case, &self.baseline, &self.program);
        let numbers = format!(
            "once per node {} against {}, per image {} against {}",
            megabytes(self.node_bytes),
            megabytes(self.baseline_node_bytes),
            kilobytes(self.image_bytes),
            kilobytes(self.baseline_image_bytes)
        );
        let images = |count: u64| if count == 1 { "1 image".to_owned() } else { format!("{count} images") };
        match (self.outcome, self.images) {
            (DiskOutcome::NativeUntil, Some(count)) => format!(
                "Up to {} like `{program}` on a node, `{baseline}` takes less of its disk than `{case}` ({numbers}).",
                images(count)
            ),
            (DiskOutcome::ModuleUntil, Some(count)) => format!(
                "Up to {} like `{program}` on a node, `{case}` takes less of its disk than `{baseline}` ({numbers}).",
                images(count)
            ),
            (DiskOutcome::ModuleUntil | DiskOutcome::ModuleAlways, _) => format!(
                "`{case}` takes less of a node's disk than `{baseline}`, however many images like `{program}` there are \
                 ({numbers})."
            ),
            (DiskOutcome::NativeUntil | DiskOutcome::NativeAlways, _) => format!(
                "`{baseline}` takes less of a node's disk than `{case}`, however many images like `{program}` there are \
                 ({numbers})."
            ),
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.0} kB", bytes as f64 / 1e3)
}

/// The ledger of a run.
pub fn ledger(manifest: &Manifest) -> Ledger {
    let cases: Vec<&Case> = manifest.cells.iter().filter(|cell| !cell.is_twin()).map(|cell| &cell.case).collect();
    let arms = arms(manifest, &cases);
    let nodes = nodes(manifest);
    let disk = disk((&arms, &nodes), &cases);
    Ledger { arms, nodes, disk }
}

fn arms(manifest: &Manifest, cases: &[&Case]) -> Vec<LedgerArm> {
    let mut programs: Vec<&str> = Vec::new();
    for artifact in &manifest.artifacts {
        if !programs.contains(&artifact.program.as_str()) {
            programs.push(&artifact.program);
        }
    }
    let of_program = |program: &str| {
        let arm = |case: &&Case| {
            let is_file = |artifact: &&ArtifactRecord| artifact.program == program && artifact.kind == case.form.name();
            let artifact = manifest.artifacts.iter().find(is_file)?;
            let is_image = |image: &&ImageRecord| {
                image.program == program && case.image.as_ref().is_some_and(|name| image.name() == name)
            };
            let image = manifest.images.iter().find(is_image);
            let stored = image.and_then(|image| image.stored);
            Some(LedgerArm {
                program: program.to_owned(),
                case: case.name.clone(),
                form: case.form,
                file_bytes: artifact.size_bytes,
                layers_compressed_bytes: image.map(|image| image.layers_compressed_bytes),
                layers_unpacked_bytes: image.map(|image| image.layers_unpacked_bytes),
                manifest_bytes: image.map(|image| image.manifest_bytes),
                config_bytes: image.map(|image| image.config_bytes),
                transfer_bytes: image.map(|image| image.transfer_bytes),
                content_store_bytes: stored.map(|stored: StoredBytes| stored.content_bytes),
                snapshot_bytes: stored.map(|stored| stored.snapshot_bytes),
            })
        };
        cases.iter().filter_map(arm).collect::<Vec<_>>()
    };
    programs.into_iter().flat_map(of_program).collect()
}

fn nodes(manifest: &Manifest) -> Vec<LedgerNode> {
    let Some(node) = &manifest.node else { return Vec::new() };
    let row = |needs: &crate::node::NodeNeeds| {
        let files: Vec<&NodeFile> = node.files.iter().filter(|file| needs.files.contains(&file.name)).collect();
        let of = |part: NodePart| files.iter().filter(|file| file.part == part).map(|file| file.size_bytes).sum();
        let parts = NodePart::ALL.map(|part| PartBytes { part, size_bytes: of(part) });
        let total_bytes = files.iter().map(|file| file.size_bytes).sum::<u64>();
        LedgerNode {
            case: needs.case.clone(),
            parts: parts.into_iter().filter(|part| part.size_bytes > 0).collect(),
            total_bytes,
            without_compiler_bytes: total_bytes - of(NodePart::Compiler),
            disk_bytes: files.iter().map(|file| file.disk_bytes).sum(),
        }
    };
    node.needs.iter().map(row).collect()
}

fn disk((arms, nodes): (&[LedgerArm], &[LedgerNode]), cases: &[&Case]) -> Vec<DiskRow> {
    let row = |arm: &LedgerArm| {
        let case = cases.iter().find(|case| case.name == arm.case && case.engine.is_some())?;
        let baseline = case.baseline.as_ref()?;
        let native = arms.iter().find(|other| other.program == arm.program && other.case == *baseline)?;
        let once = |case: &str| nodes.iter().find(|node| node.case == case).map(|node| node.disk_bytes);
        let (image_bytes, baseline_image_bytes) = (arm.on_node_bytes()?, native.on_node_bytes()?);
        let (node_bytes, baseline_node_bytes) = (once(&arm.case)?, once(baseline)?);
        let (outcome, images) = least([node_bytes, image_bytes], [baseline_node_bytes, baseline_image_bytes]);
        Some(DiskRow {
            program: arm.program.clone(),
            case: arm.case.clone(),
            baseline: baseline.clone(),
            image_bytes,
            baseline_image_bytes,
            node_bytes,
            baseline_node_bytes,
            outcome,
            images,
        })
    };
    arms.iter().filter_map(row).collect()
}

/// Which of two takes less, each being so much once and so much per image.
fn least([once, each]: [u64; 2], [native_once, native_each]: [u64; 2]) -> (DiskOutcome, Option<u64>) {
    // The last number of images at which what starts lower is still lower: below, not at, the crossing.
    let last = |head_start: u64, by: u64| head_start.div_ceil(by).saturating_sub(1);
    if once >= native_once && each >= native_each {
        (DiskOutcome::NativeAlways, None)
    } else if once >= native_once {
        match last(once - native_once, native_each - each) {
            0 => (DiskOutcome::ModuleAlways, None),
            count => (DiskOutcome::NativeUntil, Some(count)),
        }
    } else if each <= native_each {
        (DiskOutcome::ModuleAlways, None)
    } else {
        match last(native_once - once, each - native_each) {
            0 => (DiskOutcome::NativeAlways, None),
            count => (DiskOutcome::ModuleUntil, Some(count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::manifest;
    use crate::node::{NodeNeeds, NodeRecord};

    fn with_node() -> Manifest {
        let mut manifest = manifest(6);
        let file =
            |name: &str, part, size_bytes| NodeFile { name: name.to_owned(), part, size_bytes, disk_bytes: size_bytes };
        manifest.node = Some(NodeRecord {
            files: vec![
                file("containerd", NodePart::Containerd, 40_000_000),
                file("runc", NodePart::Runtime, 10_000_000),
                file("the-shim", NodePart::Shim, 6_000_000),
                file("libwasmedge.so.0", NodePart::Engine, 20_000_000),
                file("libLLVM.so", NodePart::Compiler, 120_000_000),
            ],
            needs: [
                ("native/runc", &["containerd", "runc"][..]),
                ("wasm-interpreter/wasmedge", &["containerd", "the-shim", "libwasmedge.so.0"][..]),
                ("wasm-interpreter/process", &["libwasmedge.so.0", "libLLVM.so"][..]),
            ]
            .map(|(case, files)| NodeNeeds {
                case: case.to_owned(),
                files: files.iter().map(|name| (*name).to_owned()).collect(),
            })
            .to_vec(),
        });
        let stored = [("native", [212_992, 430_080]), ("wasm", [40_960, 90_112])];
        for (kind, [content_bytes, snapshot_bytes]) in stored {
            let image = manifest.images.iter_mut().find(|image| image.kind == kind).unwrap();
            image.stored = Some(StoredBytes { content_bytes, snapshot_bytes });
        }
        manifest
    }

    #[test]
    fn an_arm_has_every_byte_from_the_file_to_the_disk() {
        let ledger = ledger(&with_node());
        let arm = |case: &str| ledger.arms.iter().find(|arm| arm.case == case).unwrap();
        let native = arm("native/runc");
        assert_eq!((native.form, native.file_bytes, native.transfer_bytes), (Kind::Native, 418_000, Some(208_000)));
        assert_eq!(native.on_node_bytes(), Some(643_072));
        let process = arm("wasm-interpreter/process");
        assert_eq!((process.file_bytes, process.transfer_bytes, process.on_node_bytes()), (77_000, None, None));
    }

    /// By hand: 66 MB against 50 MB once, 131,072 against 643,072 bytes each: 16 MB / 512,000 = 31.25.
    #[test]
    fn native_takes_less_until_the_images_have_paid_for_the_engine() {
        let ledger = ledger(&with_node());
        let row = ledger.disk.iter().find(|row| row.case == "wasm-interpreter/wasmedge").unwrap();
        assert_eq!((row.outcome, row.images), (DiskOutcome::NativeUntil, Some(31)));
        assert_eq!(
            row.sentence(),
            "Up to 31 images like `array-sum` on a node, `native/runc` takes less of its disk than \
             `wasm-interpreter/wasmedge` (once per node 66.0 MB against 50.0 MB, per image 131 kB against 643 kB)."
        );
    }

    #[test]
    fn the_compiler_of_an_engine_is_told_apart() {
        let ledger = ledger(&with_node());
        let node = ledger.nodes.iter().find(|node| node.case == "wasm-interpreter/process").unwrap();
        assert_eq!((node.total_bytes, node.without_compiler_bytes), (140_000_000, 20_000_000));
    }

    #[test]
    fn the_four_outcomes() {
        assert_eq!(least([10, 1], [5, 1]), (DiskOutcome::NativeAlways, None));
        assert_eq!(least([10, 1], [5, 2]), (DiskOutcome::NativeUntil, Some(4)));
        assert_eq!(least([5, 1], [10, 2]), (DiskOutcome::ModuleAlways, None));
        assert_eq!(least([5, 3], [10, 1]), (DiskOutcome::ModuleUntil, Some(2)));
        assert_eq!(least([6, 1], [5, 9]), (DiskOutcome::ModuleAlways, None));
    }

    #[test]
    fn a_run_of_an_older_version_has_the_arms_and_nothing_of_the_node() {
        let ledger = ledger(&manifest(6));
        assert!(!ledger.arms.is_empty() && ledger.nodes.is_empty() && ledger.disk.is_empty());
        assert!(ledger.arms.iter().all(|arm| arm.content_store_bytes.is_none()));
    }
}
