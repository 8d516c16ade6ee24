//! Every image once, before the rounds: a pull is not a part of a run. What fails for one image bars its cells and no
//! others; a registry that does not answer is not asked again.

use std::collections::BTreeMap;

use crate::clock::Stopwatch;
use crate::console;
use crate::containerd::cri::{self, Cri};
use crate::containerd::{Ctr, Login, Pulled, Wanted};
use crate::measure::runs::{NamedImage, Runs, Start};
use crate::plan::Place;
use crate::secret::Secret;
use crate::session::measured::Pull;
use crate::session::request::{Containers, PodSetup, Session};
use crate::session::store::{self, Store};
use crate::stop::Stop;

/// What was pulled, and what can not be run.
#[derive(Debug, Default)]
pub struct Pulls {
    /// The images that containerd holds.
    pub done: Vec<Pull>,
    /// Bench and cell pairs without one, with the reason.
    pub barred: BTreeMap<Place, String>,
    /// The same of what is traced.
    pub traced_barred: BTreeMap<Place, String>,
}

/// Pulls every image that a container cell of the session runs, and those that are looked at before, until `stop`.
pub fn pull_all(
    (session, containers): (&Session, &Containers),
    password: Option<&Secret>,
    (ctr, store, cri): (&Ctr, Option<&Store>, Option<&mut Result<Cri, String>>),
    stop: &Stop,
) -> Pulls {
    let login = containers.user.as_deref().zip(password).map(|(user, password)| Login { user, password });
    let mut registry = Registry { containers, login, store, silent: None, tried: BTreeMap::new(), done: Vec::new() };
    let mut barred = BTreeMap::new();
    let mut pods =
        cri.zip(containers.pods.as_ref()).map(|(cri, setup)| PodPulls { cri, setup, tried: BTreeMap::new() });
    for place in session.runs.schedule.container_places() {
        if let Start::Absent(reason) = session.runs.start(place) {
            barred.insert(place, reason.clone());
            continue;
        }
        let Some(image) = session.runs.image(place) else {
            barred.insert(place, "it has no image".to_owned());
            continue;
        };
        let mut pulled = registry.pull_once(image, ctr, stop);
        if let (Ok(()), Start::Pod(_), Some(pods)) = (&pulled, session.runs.start(place), &mut pods) {
            pulled = pods.pull(&registry, image, (ctr, stop));
        }
        if let Err(reason) = pulled {
            barred.insert(place, reason);
        } else if let Some(image) = session.calibration_image(place) {
            // What fails here is said, and then the mode can not be told: the cell can be measured all the same.
            registry.pull_once(image, ctr, stop).unwrap_or_default();
        }
    }
    for look in session.looks.iter().filter(|look| !matches!(look.start, Start::Absent(_))) {
        if let Some(image) = look.program.image(&look.case) {
            registry.pull_once(image, ctr, stop).unwrap_or_default();
        }
    }
    let traced = session.traced.as_ref();
    let traced_barred = traced.map(|traced| of_traced(&traced.runs, &mut registry, (ctr, stop))).unwrap_or_default();
    Pulls { done: registry.done, barred, traced_barred }
}

/// Pulls every image that is traced; what can not be run, with the reason.
fn of_traced(runs: &Runs, registry: &mut Registry<'_>, (ctr, stop): (&Ctr, &Stop)) -> BTreeMap<Place, String> {
    let mut barred = BTreeMap::new();
    for place in runs.schedule.container_places() {
        if let Start::Absent(reason) = runs.start(place) {
            barred.insert(place, reason.clone());
            continue;
        }
        let Some(image) = runs.image(place) else {
            barred.insert(place, "it has no image".to_owned());
            continue;
        };
        if let Err(reason) = registry.pull_once(image, ctr, stop) {
            barred.insert(place, reason);
        }
    }
    barred
}

/// The images of pods: containerd's CRI has a namespace of its own for them, into which it pulls by itself.
struct PodPulls<'a> {
    cri: &'a mut Result<Cri, String>,
    setup: &'a PodSetup,
    tried: BTreeMap<String, Result<(), String>>,
}

impl PodPulls<'_> {
    /// The image, and before the first one that of the sandboxes.
    fn pull(&mut self, registry: &Registry<'_>, image: &NamedImage, (ctr, stop): (&Ctr, &Stop)) -> Result<(), String> {
        let Self { cri, setup, tried } = self;
        let cri = cri.as_mut().map_err(|reason| reason.clone())?;
        for image in [&setup.pause, image] {
            let pull = || {
                // The rounds see the same wish.
                if stop.is_requested() {
                    return Ok(());
                }
                registry.pull_for_pods(image, (ctr, cri)).inspect_err(|reason| console::note(reason))
            };
            tried.entry(image.reference.clone()).or_insert_with(pull).clone()?;
        }
        Ok(())
    }
}

/// The registry of a session.
struct Registry<'a> {
    containers: &'a Containers,
    login: Option<Login<'a>>,
    /// Where its images are kept; `None` where that is not ours.
    store: Option<&'a Store>,
    /// What it did not answer to.
    silent: Option<String>,
    /// What it was asked for, and what came of it.
    tried: BTreeMap<String, Result<(), String>>,
    done: Vec<Pull>,
}

impl Registry<'_> {
    /// Pulls an image unless that was tried before.
    fn pull_once(&mut self, image: &NamedImage, ctr: &Ctr, stop: &Stop) -> Result<(), String> {
        if let Some(tried) = self.tried.get(&image.reference) {
            return tried.clone();
        }
        // The rounds see the same wish, and end before the first run.
        let pulled = if stop.is_requested() { Ok(None) } else { self.pull(image, ctr, stop) };
        let result = pulled.inspect_err(|reason| console::note(reason)).map(|pull| self.done.extend(pull));
        self.tried.insert(image.reference.clone(), result.clone());
        result
    }

    /// Pulls an image into CRI's namespace and hashes what containerd then holds there.
    fn pull_for_pods(&self, image: &NamedImage, (ctr, cri): (&Ctr, &mut Cri)) -> Result<(), String> {
        let wanted = self.wanted(image);
        let theirs = Ctr { namespace: cri::NAMESPACE.to_owned(), ..ctr.clone() };
        let pulled = cri.pull(wanted.reference, wanted.login, wanted.limit());
        pulled.and_then(|()| theirs.ensure_holds(image.parts())).map_err(|error| format!("{error:#}"))
    }

    fn wanted<'a>(&'a self, image: &'a NamedImage) -> Wanted<'a> {
        Wanted {
            reference: &image.reference,
            platform: &image.platform,
            scheme: self.containers.scheme,
            login: self.login,
            transfer_bytes: image.transfer_bytes,
        }
    }

    /// Pulls an image and hashes what containerd then holds; `None` when somebody wished to stop.
    fn pull(&mut self, image: &NamedImage, ctr: &Ctr, stop: &Stop) -> Result<Option<Pull>, String> {
        if let Some(silent) = &self.silent {
            return Err(format!("not tried: {silent}"));
        }
        let before = self.store.and_then(Store::bytes);
        let clock = Stopwatch::start();
        let pulled = ctr.pull(&self.wanted(image), stop);
        let pull_ns = clock.elapsed_ns();
        match pulled.map_err(|error| format!("{error:#}"))? {
            Pulled::Stopped => return Ok(None),
            Pulled::TimedOut(reason) => return Err(self.silent.insert(reason).clone()),
            Pulled::Done => {}
        }
        ctr.ensure_holds(image.parts())
            .map_err(|error| format!("`{}` is not what was pushed: {error:#}", image.reference))?;
        let stored = before.zip(self.store.and_then(Store::bytes)).map(|(before, after)| store::growth(before, after));
        Ok(Some(Pull { manifest: image.manifest, pull_ns, stored }))
    }
}
