//! `image`: the OCI layout, made or checked.

use crate::cli::{Exit, Format, ImageArgs};
use crate::progress::Steps;
use crate::workspace::{MARKER, Workspace};
use crate::{commands, lock, prepare};
use oci::{self, ImageSet};
use serde::Serialize;

/// Makes the layout below `target/oci`, or verifies the one that is there.
pub fn run(workspace: &Workspace, args: &ImageArgs) -> anyhow::Result<Exit> {
    if args.verify {
        return verify(workspace, args.format.format);
    }
    let definitions = prepare::images::matching(workspace, &args.images)?;
    let _lock = lock::build(workspace)?;
    let mut steps = Steps::of(2 + usize::from(prepare::bases::are_needed(&definitions)));
    let kinds = definitions.iter().map(|definition| definition.kind).collect();
    let (_, artifacts, missing) =
        prepare::default_artifacts(workspace, (&kinds, &args.origin), &args.programs, &mut steps)?;
    let artifacts = missing.packable(&artifacts);
    let packed = prepare::bases::all(workspace, &definitions, &args.programs, &mut steps)?;
    let images = prepare::images::assemble(workspace, (&definitions, &packed.bases), &artifacts)?;
    show(&images, args.format.format)?;
    Ok(missing.exit())
}

fn verify(workspace: &Workspace, format: Format) -> anyhow::Result<Exit> {
    let findings = oci::verify::verify(&workspace.oci(), &[MARKER], &prepare::images::definitions(workspace)?)?;
    if format == Format::Json {
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        commands::print_json(&findings)?;
    }
    for finding in &findings {
        crate::console::note(finding);
    }
    if findings.is_empty() {
        crate::console::note(format_args!(
            "every blob, digest, platform and tar header in `{}` is right",
            workspace.oci().display()
        ));
        return Ok(Exit::Done);
    }
    anyhow::bail!("{} findings: `cargo xtask image` makes the layout again", findings.len())
}

#[derive(Serialize)]
struct Row {
    name: String,
    digest: String,
    platform: String,
    compression: String,
    transfer_bytes: u64,
    layers_unpacked_bytes: u64,
}

/// Prints what was assembled.
pub fn show(images: &ImageSet, format: Format) -> anyhow::Result<()> {
    let rows: Vec<Row> = images
        .images()
        .iter()
        .map(|image| Row {
            name: format!("{}:{}", image.program(), image.name()),
            digest: image.manifest().digest().to_string(),
            platform: image.platform(),
            compression: image.compression().name().to_owned(),
            transfer_bytes: image.sizes().transfer_bytes,
            layers_unpacked_bytes: image.sizes().layers_unpacked_bytes,
        })
        .collect();
    if format == Format::Json {
        return commands::print_json(&rows);
    }
    let mut table = commands::table(&["image", "platform", "layer", "transferred B", "unpacked B", "digest"]);
    for row in rows {
        table.add_row([
            row.name,
            row.platform,
            row.compression,
            row.transfer_bytes.to_string(),
            row.layers_unpacked_bytes.to_string(),
            row.digest[..19].to_owned(),
        ]);
    }
    commands::print(&format!("{table}\n"))
}
