//! The push of an image set, which ends in [`Pushed`]: proof that a registry holds exactly our bytes.
//!
//! Blobs first, then manifests, then indexes, for a registry refuses a document whose parts it does not have.
//! Not here: requests and retries (`connection`).

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use oci_client::Reference;
use tokio::task::JoinSet;

use super::connection::{Connection, Presence, expect_same};
use super::credentials::Credentials;
use super::destination::Destination;
use super::embedded::runtime;
use super::patience::Patience;
use crate::stop::Stop;
use oci::digest::Digest;
use oci::{Blob, ImageSet, Tagged};

/// Requests under way at a time: enough to overlap client and server, few enough for any registry.
const CONCURRENT: usize = 4;
/// How often a push looks whether somebody wishes to stop.
const LOOK: Duration = Duration::from_millis(50);

/// How a registry is reached.
#[derive(Clone, Debug)]
pub struct RegistryAccess {
    /// Who pushes.
    pub credentials: Credentials,
    /// For how long it is tried.
    pub patience: Patience,
}

impl RegistryAccess {
    /// Without account, with the usual patience.
    pub const ANONYMOUS: Self = Self { credentials: Credentials::Anonymous, patience: Patience::DEFAULT };
}

/// An image or index that a registry was seen to hold, byte for byte. Only [`push`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    reference: String,
    pinned: String,
    digest: Digest,
}

impl Pushed {
    /// Its name: `host[:port]/prefix/program:tag`. Whoever may push there can make it stand for something else.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// What to pull: `host[:port]/prefix/program@sha256:…`, which stands for these bytes alone.
    pub fn pinned(&self) -> &str {
        &self.pinned
    }

    /// The digest of the manifest or index.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// What went over the wire, and what did not have to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of blobs, manifests and indexes that were sent.
    pub uploaded_bytes: u64,
    /// Blobs that were sent.
    pub uploaded_blobs: usize,
    /// Blobs that the registry had.
    pub skipped_blobs: usize,
    /// Manifests and indexes that were sent.
    pub uploaded_documents: usize,
    /// Manifests and indexes that the registry had under their tag.
    pub skipped_documents: usize,
}

/// What a push did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushReport {
    /// In the order of [`ImageSet::tagged`].
    pub pushed: Vec<Pushed>,
    /// What it cost.
    pub traffic: Traffic,
}

/// How far a push is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushProgress {
    /// Bytes sent or found there already.
    pub done_bytes: u64,
    /// All bytes of the set.
    pub total_bytes: u64,
}

/// Makes the destination hold these images and indexes under their tags, sends only what it does not have, and
/// reads every manifest back. `progress` is called after each blob and document, on this thread.
///
/// # Errors
/// When the registry does not answer, refuses, or holds something else in the end, within the time limits of
/// `access.patience`: with registry, image, cause and what to do. When somebody wishes to stop.
pub fn push(
    set: &ImageSet,
    destination: &Destination,
    (access, stop): (&RegistryAccess, &Stop),
    progress: &mut dyn FnMut(PushProgress),
) -> anyhow::Result<PushReport> {
    let failed = || format!("can not push to the registry `{destination}`");
    let connection = Arc::new(Connection::new(destination, access).with_context(failed)?);
    let limit = access.patience.total;
    let runtime = runtime()?;
    let all = run(Arc::clone(&connection), access, set, progress);
    let Some(finished) = runtime.block_on(async { unless(stop, tokio::time::timeout(limit, all)).await }) else {
        return Err(anyhow!("interrupted")).with_context(failed);
    };
    finished
        .unwrap_or_else(|_| {
            let trouble = connection.trouble().map_or(String::new(), |last| format!("; the last trouble was: {last}"));
            Err(anyhow!("it was not finished after {} s: try again{trouble}", limit.as_secs_f64()))
        })
        .with_context(failed)
}

/// The future's value; `None` when somebody wishes to stop first. The future is dropped then, and its connections with
/// it.
async fn unless<T>(stop: &Stop, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut looks = pin!(async {
        while !stop.is_requested() {
            tokio::time::sleep(LOOK).await;
        }
    });
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => looks.as_mut().poll(context).map(|()| None),
    })
    .await
}

async fn run(
    connection: Arc<Connection>,
    access: &RegistryAccess,
    set: &ImageSet,
    progress: &mut dyn FnMut(PushProgress),
) -> anyhow::Result<PushReport> {
    let tagged = set.tagged();
    if access.credentials.needs_token(connection.destination().place()) {
        let programs: BTreeSet<_> = tagged.iter().map(|tagged| tagged.program).collect();
        for program in programs {
            connection.log_in(&connection.reference(program, "latest")).await?;
        }
    }
    let jobs = jobs(&connection, &tagged);
    let total_bytes = jobs.iter().flatten().map(|job| job.blob.bytes().len() as u64).sum();
    let mut state = PushProgress { done_bytes: 0, total_bytes };
    progress(state);
    let mut traffic = Traffic::default();
    for stage in jobs {
        let outcomes = stage.into_iter().map(|job| job.run(Arc::clone(&connection)));
        all(outcomes, |outcome: Outcome| {
            traffic.add(outcome);
            state.done_bytes += outcome.size_bytes;
            progress(state);
        })
        .await?;
    }
    let pushed = tagged
        .iter()
        .map(|tagged| Pushed {
            reference: connection.destination().reference(tagged.program, tagged.tag),
            pinned: connection.destination().pinned(tagged.program, tagged.document.digest()),
            digest: tagged.document.digest(),
        })
        .collect();
    Ok(PushReport { pushed, traffic })
}

/// One thing to be stored.
struct Job {
    blob: Blob,
    part: Part,
    image: Reference,
    /// `program:tag`, for errors.
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Blob,
    Document,
}

#[derive(Clone, Copy, Debug)]
struct Outcome {
    part: Part,
    size_bytes: u64,
    before: Presence,
}

impl Traffic {
    fn add(&mut self, outcome: Outcome) {
        let count = match (outcome.part, outcome.before) {
            (Part::Blob, Presence::Present) => &mut self.skipped_blobs,
            (Part::Blob, Presence::Absent) => &mut self.uploaded_blobs,
            (Part::Document, Presence::Present) => &mut self.skipped_documents,
            (Part::Document, Presence::Absent) => &mut self.uploaded_documents,
        };
        *count += 1;
        if outcome.before == Presence::Absent {
            self.uploaded_bytes += outcome.size_bytes;
        }
    }
}

/// The stages of a push: blobs (each once per repository), manifests, indexes.
fn jobs(connection: &Connection, tagged: &[Tagged<'_>]) -> [Vec<Job>; 3] {
    let mut stages = [Vec::new(), Vec::new(), Vec::new()];
    let mut seen = BTreeSet::new();
    for tagged in tagged {
        let job = |blob: &Blob, part| Job {
            blob: blob.clone(),
            part,
            image: connection.reference(tagged.program, tagged.tag),
            name: tagged.name(),
        };
        for blob in &tagged.blobs {
            if seen.insert((tagged.program, blob.digest())) {
                stages[0].push(job(blob, Part::Blob));
            }
        }
        let stage = if tagged.kind.is_some() { 1 } else { 2 };
        stages[stage].push(job(tagged.document, Part::Document));
    }
    stages
}

impl Job {
    async fn run(self, connection: Arc<Connection>) -> anyhow::Result<Outcome> {
        let before = match self.part {
            Part::Blob => self.store_blob(&connection).await,
            Part::Document => self.store_document(&connection).await,
        };
        let before = before.with_context(|| format!("image `{}`, `{}`", self.name, self.blob.digest()))?;
        Ok(Outcome { part: self.part, size_bytes: self.blob.bytes().len() as u64, before })
    }

    async fn store_blob(&self, connection: &Connection) -> anyhow::Result<Presence> {
        let before = connection.blob(&self.image, self.blob.digest()).await?;
        if before == Presence::Absent {
            connection.push_blob(&self.image, self.blob.digest(), self.blob.bytes()).await?;
        }
        Ok(before)
    }

    async fn store_document(&self, connection: &Connection) -> anyhow::Result<Presence> {
        let before = connection.document(&self.image, self.blob.digest()).await?;
        if before == Presence::Absent {
            connection.push_document(&self.image, self.blob.media_type(), self.blob.bytes()).await?;
        }
        // Not the digest that the registry states, but its bytes: that is what a pull will get.
        expect_same(&format!("`{}`", self.name), self.blob.bytes(), &connection.pull_document(&self.image).await?)?;
        Ok(before)
    }
}

/// Runs futures, a few at a time; the first error ends all of them. A panic in one is an error too.
async fn all<T: Send + 'static>(
    futures: impl Iterator<Item = impl Future<Output = anyhow::Result<T>> + Send + 'static>,
    mut done: impl FnMut(T),
) -> anyhow::Result<()> {
    let mut waiting: VecDeque<_> = futures.collect();
    let mut running = JoinSet::new();
    loop {
        while running.len() < CONCURRENT
            && let Some(next) = waiting.pop_front()
        {
            running.spawn(next);
        }
        match running.join_next().await {
            None => return Ok(()),
            Some(result) => done(result.context("the registry client broke off")??),
        }
    }
}
