//! A node in the state that a class asks for: an image removed or fetched, files out of the page cache, containerd started
//! anew. All of it outside the timed regions.
//!
//! Only what belongs to this run is touched: images of the private containerd, and the page cache of the files that the run
//! itself reads, file by file. Nothing is dropped for the whole machine.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use rustix::fs::Advice;

use super::{Source, client};
use crate::clock::Stopwatch;
use crate::containerd::{Ctr, Pulled, Scheme, Wanted};
use crate::measure::child::End;
use crate::measure::orphans::Orphans;
use crate::measure::runs::{NamedImage, Runs};
use crate::plan::Place;
use crate::registry::limiter::{Limiter, Passed};
use crate::session::request::{FirstUseRequest, Session};
use crate::session::store::Store;
use crate::stop::Stop;

/// The node, and what is known of its state.
pub struct Node<'a> {
    session: &'a Session,
    request: &'a FirstUseRequest,
    source: Option<Source<'a>>,
    store: Option<Store>,
    /// The images that containerd holds, unpacked or not, by reference.
    held: BTreeSet<String>,
    /// Those of them that were never unpacked.
    packed: BTreeSet<String>,
    links: Vec<OverLink>,
    why_no_links: Option<&'static str>,
    stop: &'a Stop,
}

/// A link, and the runs with the images named as they are behind it.
struct OverLink {
    limiter: Limiter,
    runs: Runs,
}

/// A pull that was timed.
#[derive(Clone, Copy, Debug)]
pub struct TimedPull {
    /// How long it took.
    pub pull_ns: u64,
    /// What passed the link; `None` without one.
    pub passed: Option<Passed>,
}

impl<'a> Node<'a> {
    /// The node after the rounds: every image is held and unpacked.
    ///
    /// # Errors
    /// When a link can not be opened.
    pub fn new(
        session: &'a Session,
        request: &'a FirstUseRequest,
        source: Option<Source<'a>>,
        stop: &'a Stop,
    ) -> anyhow::Result<Self> {
        let store = source.as_ref().and_then(|source| source.host.store());
        let images = |runs: &'a Runs| runs.benches.iter().flat_map(|bench| &bench.images);
        let held = match &source {
            Some(source) => source.host.ctr.images()?.into_iter().collect(),
            None => BTreeSet::new(),
        };
        let mut node = Self {
            session,
            request,
            source,
            store,
            held,
            packed: BTreeSet::new(),
            links: Vec::new(),
            why_no_links: None,
            stop,
        };
        let registry = images(&session.runs).next().and_then(|image| address(&image.reference));
        let is_plain = node.source.as_ref().is_some_and(|source| source.containers.scheme == Scheme::Http);
        match registry {
            _ if node.source.is_none() || request.links.is_empty() => {}
            Some(registry) if is_plain => {
                for link in &request.links {
                    node.links.push(OverLink::open(registry, *link, &session.runs)?);
                }
            }
            _ => node.why_no_links = Some("its registry is not on plain HTTP at an address, and a link needs that"),
        }
        Ok(node)
    }

    /// Whether there is a containerd.
    pub fn has_containers(&self) -> bool {
        self.source.is_some()
    }

    /// Whether it is ours.
    pub fn is_private(&self) -> bool {
        self.store.is_some()
    }

    /// Whether there are pods, whose images are in a namespace of their own.
    pub fn has_pods(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.containers.pods.is_some())
    }

    /// How many links there are.
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Why there are none that were asked for.
    pub fn why_no_links(&self) -> Option<&'static str> {
        self.why_no_links
    }

    /// The runs, with the images as they are called over a link.
    pub fn runs(&self, link: Option<usize>) -> &Runs {
        link.map_or(&self.session.runs, |link| &self.links[link].runs)
    }

    /// The client.
    pub fn ctr(&self) -> Option<&Ctr> {
        self.source.as_ref().map(|source| &source.host.ctr)
    }

    /// Sees to it that a cell's image is held and unpacked. A cell without image needs none.
    ///
    /// # Errors
    /// When it can not be pulled.
    pub fn ensure_pulled(&mut self, place: Place) -> anyhow::Result<()> {
        let Some(image) = self.session.runs.image(place).filter(|_| self.is_container(place)) else { return Ok(()) };
        if !self.held.contains(&image.reference) || self.packed.contains(&image.reference) {
            self.transfer(image, Ctr::pull)?;
            self.packed.remove(&image.reference);
        }
        Ok(())
    }

    /// Removes a cell's image, then pulls it, over a link where one is named. `None` when somebody wished to stop.
    ///
    /// # Errors
    /// When it can not be removed or pulled.
    pub fn pull_anew(&mut self, place: Place, link: Option<usize>) -> anyhow::Result<Option<TimedPull>> {
        self.forget(place)?;
        let image = self.runs(link).image(place).context("it has no image")?.clone();
        if let Some(link) = link {
            self.links[link].limiter.take_passed();
        }
        let clock = Stopwatch::start();
        let pulled = self.transfer(&image, Ctr::pull)?;
        let pull_ns = clock.elapsed_ns();
        let passed = link.map(|link| self.links[link].limiter.take_passed());
        Ok(pulled.then_some(TimedPull { pull_ns, passed }))
    }

    /// Removes a cell's image, then fetches it without unpacking it.
    ///
    /// # Errors
    /// When it can not be removed or fetched.
    pub fn fetch_anew(&mut self, place: Place) -> anyhow::Result<()> {
        self.forget(place)?;
        let image = self.session.runs.image(place).context("it has no image")?.clone();
        self.transfer(&image, Ctr::fetch)?;
        self.packed.insert(image.reference);
        Ok(())
    }

    /// Whether it was done, and not stopped.
    fn transfer(
        &mut self,
        image: &NamedImage,
        how: fn(&Ctr, &Wanted<'_>, &Stop) -> anyhow::Result<Pulled>,
    ) -> anyhow::Result<bool> {
        let source = self.source.as_ref().context("no containerd is running")?;
        let wanted = Wanted {
            reference: &image.reference,
            platform: &image.platform,
            scheme: source.containers.scheme,
            login: source.login,
            transfer_bytes: image.transfer_bytes,
        };
        match how(&source.host.ctr, &wanted, self.stop)? {
            Pulled::Stopped => return Ok(false),
            Pulled::TimedOut(reason) => bail!("{reason}"),
            Pulled::Done => {}
        }
        self.held.insert(image.reference.clone());
        Ok(true)
    }

    /// Removes a cell's image under every name that it has here, and makes sure that its content is gone.
    fn forget(&mut self, place: Place) -> anyhow::Result<()> {
        let image = self.session.runs.image(place).context("it has no image")?;
        let everywhere = (0..self.links.len()).map(Some).chain([None]).filter_map(|link| self.runs(link).image(place));
        let names: Vec<String> =
            everywhere.map(|image| image.reference.clone()).filter(|name| self.held.contains(name)).collect();
        let ctr = client(self.source.as_ref())?;
        for name in &names {
            ctr.forget(name)?;
        }
        for name in names {
            self.held.remove(&name);
            self.packed.remove(&name);
        }
        if let Some(store) = &self.store {
            let left = image.blobs.iter().find(|blob| store.holds(**blob));
            ensure!(left.is_none(), "containerd still holds content of `{}` after it was removed", image.reference);
        }
        Ok(())
    }

    /// Drops every file that a run of this cell reads from the page cache, as far as no process has it mapped: what starts
    /// it and what that loads, its program or module, and what containerd keeps of images. Returns their bytes.
    ///
    /// # Errors
    /// When a file can not be opened, or the kernel refuses.
    pub fn drop_cached(&self, place: Place) -> anyhow::Result<u64> {
        let case = &self.session.runs.cell(place).case;
        let mut files: BTreeSet<PathBuf> = self.request.files.get(&case.name).into_iter().flatten().cloned().collect();
        if case.is_container() {
            files.extend(self.ctr().map(|ctr| ctr.program.clone()));
            files.extend(self.store.iter().flat_map(Store::files));
        } else {
            files.extend(self.session.runs.file(place).map(|file| file.path.clone()));
        }
        let mut bytes = 0;
        for path in files {
            bytes += drop_file(&path)?;
        }
        Ok(bytes)
    }

    /// Ends containerd and starts it anew.
    ///
    /// # Errors
    /// When it does not come up again.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        let source = self.source.as_mut().context("no containerd is running")?;
        source.host.restart(source.containers)
    }

    /// What is left to do after a run: a container that failed may be half made, what it orphaned is reaped, and an image
    /// that came over a link is held no longer than for this run.
    ///
    /// # Errors
    /// When something can not be removed.
    pub fn after(&mut self, place: Place, link: Option<usize>, id: &str, end: End) -> anyhow::Result<()> {
        if end != End::Exited(0)
            && self.is_container(place)
            && let Some(ctr) = self.ctr()
        {
            ctr.remove(id)?;
        }
        self.reap()?;
        if let Some(image) = self.session.runs.image(place) {
            self.packed.remove(&image.reference);
        }
        if link.is_some() { self.forget(place) } else { Ok(()) }
    }

    /// Reaps what containers left.
    ///
    /// # Errors
    /// When the kernel does not say which children there are.
    pub fn reap(&self) -> anyhow::Result<()> {
        let own = self.source.as_ref().map(|source| source.host.pids()).transpose()?;
        match own.and_then(Orphans::adopted) {
            Some(orphans) => orphans.reap().map(drop),
            None => Ok(()),
        }
    }

    fn is_container(&self, place: Place) -> bool {
        self.session.runs.cell(place).case.is_container()
    }
}

impl OverLink {
    fn open(registry: SocketAddr, link: results::first_use::Link, runs: &Runs) -> anyhow::Result<Self> {
        let limiter = Limiter::start(registry, link)?;
        let mut runs = runs.clone();
        for image in runs.benches.iter_mut().flat_map(|bench| &mut bench.images) {
            if let Some((host, name)) = image.reference.split_once('/')
                && host == registry.to_string()
            {
                image.reference = format!("{}/{name}", limiter.address());
            }
        }
        Ok(Self { limiter, runs })
    }
}

/// The address of an image's registry, where it is one and not a name.
fn address(reference: &str) -> Option<SocketAddr> {
    reference.split_once('/')?.0.parse().ok()
}

/// Asks the kernel to forget what it has of a file's content (posix_fadvise(2)). What is not on the disk yet is written
/// first, for the kernel forgets clean pages only.
fn drop_file(path: &Path) -> anyhow::Result<u64> {
    let context = || format!("can not drop `{}` from the page cache", path.display());
    let file = match File::open(path) {
        // containerd may have replaced it meanwhile.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        file => file.with_context(context)?,
    };
    file.sync_data().with_context(context)?;
    rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).with_context(context)?;
    Ok(file.metadata().with_context(context)?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_at_an_address_or_has_a_name() {
        assert_eq!(address("127.0.0.1:5000/bench/x@sha256:0"), Some("127.0.0.1:5000".parse().unwrap()));
        assert_eq!(address("ghcr.io/x@sha256:0"), None);
    }

    #[test]
    fn a_file_is_dropped_and_read_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![7; 100_000]).unwrap();
        assert_eq!(drop_file(file.path()).unwrap(), 100_000);
        assert_eq!(std::fs::read(file.path()).unwrap(), vec![7; 100_000]);
        assert_eq!(drop_file(Path::new("/no/such")).unwrap(), 0);
    }
}
