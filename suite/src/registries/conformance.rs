//! One function that every registry must pass, the embedded one as well as the real ones: `cargo test` calls it
//! for the former, `cargo xtask test` for Debian's docker-registry.
//!
//! Not here: registries that misbehave.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};

use oci::digest::Digest;
use oci::epoch::Epoch;
use oci::{ImageSet, example};
use xtask::registry::connection::{Connection, expect_same};
use xtask::registry::embedded::runtime;
use xtask::registry::{Destination, Pushed, RegistryAccess, Traffic, push};
use xtask::stop::Stop;

/// What was seen, when all was as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The images and indexes that are there now.
    pub pushed: Vec<Pushed>,
    /// The first push.
    pub first: Traffic,
    /// Bytes that were pulled back and compared.
    pub pulled_bytes: u64,
}

/// Pushes a small set, pushes it again (nothing may be sent), pulls every byte back, moves the tags to another set
/// and back, and pulls again. It leaves the set `example` at the destination.
///
/// # Errors
/// At the first thing that is not as it should be.
pub fn round_trip(destination: &Destination, access: &RegistryAccess) -> anyhow::Result<Report> {
    let set = example::images(Epoch::ZERO)?;
    let other = example::images(Epoch::parse(Some("1"))?)?;
    let stop = Stop::never()?;
    let push = |set: &ImageSet| push(set, destination, (access, &stop), &mut |_| ());

    let first = push(&set).context("the first push")?;
    let documents = set.tagged().len();
    // One that several images have is sent once.
    let blobs: BTreeSet<(&str, String)> = set
        .tagged()
        .iter()
        .flat_map(|tagged| tagged.blobs.iter().map(|blob| (tagged.program, blob.digest().to_string())))
        .collect();
    let blobs = blobs.len();
    let counted = (first.traffic.uploaded_blobs + first.traffic.skipped_blobs, first.pushed.len());
    ensure!(counted == (blobs, documents), "{blobs} blobs and {documents} documents were pushed as {counted:?}");
    let mut pulled_bytes = pull_back(&set, destination, access).context("the first pull")?;

    let again = push(&set).context("the second push")?;
    let nothing = Traffic { skipped_blobs: blobs, skipped_documents: documents, ..Traffic::default() };
    ensure!(again.traffic == nothing, "the second push should have sent nothing: {:?}", again.traffic);
    ensure!(again.pushed == first.pushed, "the second push gave other images: {:?}", again.pushed);

    let moved = push(&other).context("the push of other images to the same tags")?;
    ensure!(moved.traffic.uploaded_documents == documents, "tags were not moved: {:?}", moved.traffic);
    pulled_bytes += pull_back(&other, destination, access).context("the pull after the tags were moved")?;
    push(&set).context("the push back to the first images")?;
    pulled_bytes += pull_back(&set, destination, access).context("the last pull")?;
    Ok(Report { pushed: first.pushed, first: first.traffic, pulled_bytes })
}

/// Compares everything that the destination holds with the set; gives the number of bytes.
fn pull_back(set: &ImageSet, destination: &Destination, access: &RegistryAccess) -> anyhow::Result<u64> {
    let connection = Connection::new(destination, access)?;
    runtime()?.block_on(async {
        let mut pulled_bytes = 0;
        for tagged in set.tagged() {
            let image = connection.reference(tagged.program, tagged.tag);
            let document = connection.pull_document(&image).await?;
            expect_same(&tagged.name(), tagged.document.bytes(), &document)?;
            pulled_bytes += document.len() as u64;
            for blob in &tagged.blobs {
                let bytes = connection.pull_blob(&image, blob.digest()).await?;
                expect_same(&tagged.name(), blob.bytes(), &bytes)?;
                ensure!(Digest::of(&bytes) == blob.digest(), "`{}` does not hash to its name", blob.digest());
                pulled_bytes += bytes.len() as u64;
            }
        }
        Ok(pulled_bytes)
    })
}
