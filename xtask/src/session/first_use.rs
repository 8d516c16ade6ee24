//! First use: after the rounds of a run, each class of each cell of one bench, round by round, in an order of its own.
//!
//! Its samples go into a file of their own and never among those of the rounds. Not here: how a class is brought about
//! (`node`), and what follows from the samples (`results`).

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;

use crate::bench::Reads;
use crate::containerd::events::TaskStarts;
use crate::containerd::{Ctr, Login};
use crate::matrix::{FILE, OUTPUT};
use crate::measure::child::{self, End, Ran};
use crate::measure::expectation::Expectations;
use crate::measure::feed;
use crate::measure::runs::Start;
use crate::measure::single;
use crate::measure::watchdog::Watchdog;
use crate::plan::Place;
use crate::session::request::{Compilation, Containers, FirstUseRequest, Session};
use crate::stop::Stop;
use results::case::Kind;
use results::first_use::{Class, DROPPED, FirstUseSample, Link, PULL, ROUND_TRIPS, RUN, TRANSFERRED, WALL};
use results::{NotMeasured, Outcome, RunStatus};
use stats::random::{Random, Stream};

use super::inside::ContainerHost;
use node::Node;

mod node;

/// What keeps the order of these rounds apart from everything else that a run's seed decides.
const STREAM: u64 = 1 << 40;

/// Where containers run, and how images come there.
pub struct Source<'a> {
    /// The containerd.
    pub host: &'a mut ContainerHost,
    /// What it was started with.
    pub containers: &'a Containers,
    /// What the registry wants.
    pub login: Option<Login<'a>>,
}

/// What came of it.
#[derive(Debug)]
pub struct FirstUseEnd {
    /// How it ended.
    pub status: RunStatus,
    /// Why, when it failed.
    pub reason: Option<String>,
    /// What could not be measured.
    pub not_measured: Vec<NotMeasured>,
}

/// One thing to be done in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A run of a cell; over the link of this index, when it is pulled over one.
    Use { place: Place, class: Class, link: Option<usize> },
    /// A compilation.
    Compile(usize),
}

/// Makes the rounds of first use.
pub fn run(session: &Session, request: &FirstUseRequest, source: Option<Source<'_>>, stop: &Stop) -> FirstUseEnd {
    let mut not_measured = Vec::new();
    let ended = rounds(session, request, source, (stop, &mut not_measured));
    let (status, reason) = match ended {
        Ok(status) => (status, None),
        Err(error) => (RunStatus::Failed, Some(format!("first use could not be measured: {error:#}"))),
    };
    FirstUseEnd { status, reason, not_measured }
}

fn rounds(
    session: &Session,
    request: &FirstUseRequest,
    source: Option<Source<'_>>,
    (stop, not_measured): (&Stop, &mut Vec<NotMeasured>),
) -> anyhow::Result<RunStatus> {
    let samples = OpenOptions::new().append(true).open(&request.samples);
    let samples = samples.with_context(|| format!("can not append to `{}`", request.samples.display()))?;
    let mut node = Node::new(session, request, source, stop)?;
    let (watchdog, mut barred) = (Watchdog::start(stop)?, BTreeMap::new());
    let bench = (&session.runs, request.bench..request.bench + 1);
    let Some(expectations) = Expectations::learn(bench, &watchdog, &mut barred)? else {
        return Ok(RunStatus::Interrupted);
    };
    let steps = steps((session, request), &barred, &node, not_measured);
    let work = tempfile::tempdir()?;
    let mut measuring = Measuring { session, request, watchdog, expectations, starts: None, samples, work };
    let total = request.rounds as usize * steps.len();
    for round in 0..request.rounds {
        let order = shuffled(&steps, session.runs.schedule.rounds().seed, round);
        for (position, step) in (0_u32..).zip(order) {
            if stop.is_requested() {
                return Ok(RunStatus::Interrupted);
            }
            if position == 0 {
                crate::console::note(format_args!(
                    "first use: round {} of {}, {total} samples in all",
                    round + 1,
                    request.rounds
                ));
            }
            let Some(sample) = measuring.one(&mut node, step, [round, position]) else {
                return Ok(RunStatus::Interrupted);
            };
            measuring.append(&sample)?;
        }
    }
    Ok(RunStatus::Complete)
}

/// The steps of every round. A class that has no meaning for a cell is none of its steps; one that can not be brought about
/// is not measured.
fn steps(
    (session, request): (&Session, &FirstUseRequest),
    barred: &BTreeMap<Place, String>,
    node: &Node<'_>,
    not_measured: &mut Vec<NotMeasured>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for (index, cell) in session.runs.schedule.cells().iter().enumerate().filter(|(_, cell)| !cell.is_twin()) {
        let place = Place { bench: request.bench, cell: index };
        let mut lacks = |reason: &str| {
            not_measured.push(NotMeasured {
                bench: session.runs.bench(place).name.clone(),
                case: cell.name.clone(),
                metric: Some("first use".to_owned()),
                reason: reason.to_owned(),
            });
        };
        let mut add = |class, link| steps.push(Step::Use { place, class, link });
        let start = session.runs.start(place);
        let is_barred =
            barred.contains_key(&place) || single::obstacle(start, (session.runs.bench(place), &cell.case)).is_some();
        match (start, cell.case.is_container()) {
            // The rounds say why.
            (Start::Absent(_), _) => {}
            _ if is_barred => {}
            (_, false) => [Class::ColdCache, Class::Warm].into_iter().for_each(|class| add(class, None)),
            (_, true) if !node.has_containers() => lacks("no containerd is running"),
            (_, true) if !node.is_private() => lacks("the containerd is not ours: what is in it is not removed"),
            (_, true) if node.has_pods() => lacks("pods of this run hold the same content: measure it without them"),
            (_, true) if session.runs.image(place).is_none() => lacks("it has no image"),
            (_, true) => {
                let classes = Class::ALL.into_iter().filter(|class| *class != Class::Compile);
                classes.for_each(|class| add(class, None));
                (0..node.links()).for_each(|link| add(Class::NotPulled, Some(link)));
                if let Some(reason) = node.why_no_links() {
                    lacks(reason);
                }
            }
        }
    }
    steps.extend((0..request.compilations.len()).map(Step::Compile));
    steps
}

/// The steps in an order that depends on seed and round alone (Fisher and Yates).
fn shuffled(steps: &[Step], seed: u64, round: u32) -> Vec<Step> {
    let mut random = Random::new(seed, Stream(STREAM + u64::from(round)));
    let mut order = steps.to_vec();
    for last in (1..order.len()).rev() {
        order.swap(last, random.index(last + 1));
    }
    order
}

struct Measuring<'a> {
    session: &'a Session,
    request: &'a FirstUseRequest,
    watchdog: Watchdog,
    expectations: Expectations,
    /// What containers are told the end of their standard input by, as long as the containerd is up that it listens to.
    starts: Option<TaskStarts>,
    samples: File,
    /// Where compilers write.
    work: tempfile::TempDir,
}

impl Measuring<'_> {
    /// `None` when somebody wished to stop.
    fn one(&mut self, node: &mut Node<'_>, step: Step, [round, position]: [u32; 2]) -> Option<FirstUseSample> {
        let (sample, made) = match step {
            Step::Compile(index) => {
                let compilation = &self.request.compilations[index];
                let bench = self.session.runs.benches[self.request.bench].name.clone();
                (
                    Self::row((bench, compilation.form.name().to_owned()), (Class::Compile, None)),
                    self.compile(compilation),
                )
            }
            Step::Use { place, class, link } => {
                let names = (self.session.runs.bench(place).name.clone(), self.session.runs.cell(place).name.clone());
                let id = format!("f{round}-p{position}");
                let sample = Self::row(names, (class, link.map(|link| self.request.links[link])));
                (sample, self.use_of(node, (place, class, link), &id))
            }
        };
        let sample = FirstUseSample { round, position, ..sample };
        match made {
            Ok(None) => None,
            Ok(Some(made)) => Some(FirstUseSample {
                values: made.values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                outcome: made.outcome,
                reason: made.reason,
                output_sha256: made.output_sha256,
                ..sample
            }),
            Err(error) => {
                Some(FirstUseSample { outcome: Outcome::NotStarted, reason: Some(format!("{error:#}")), ..sample })
            }
        }
    }

    fn row((bench, case): (String, String), (class, link): (Class, Option<Link>)) -> FirstUseSample {
        FirstUseSample {
            bench,
            case,
            class,
            link,
            round: 0,
            position: 0,
            values: BTreeMap::new(),
            outcome: Outcome::Ok,
            reason: None,
            output_sha256: None,
        }
    }

    /// Brings a class about, then makes the pull and the run that are timed.
    fn use_of(
        &mut self,
        node: &mut Node<'_>,
        (place, class, link): (Place, Class, Option<usize>),
        id: &str,
    ) -> anyhow::Result<Option<Made>> {
        let mut values = Vec::new();
        if matches!(class, Class::ColdCache | Class::FirstAfterStart | Class::Warm) {
            node.ensure_pulled(place)?;
            // So that nothing but the class is new: what is run next was run just before.
            let before = self.run((&*node, place, link), &format!("{id}-before"))?;
            node.reap()?;
            if before.end == End::Stopped {
                return Ok(None);
            }
        }
        match class {
            Class::NotPulled => {
                let Some(pulled) = node.pull_anew(place, link)? else { return Ok(None) };
                values.push((PULL, pulled.pull_ns));
                if let Some(passed) = pulled.passed {
                    values.extend([(TRANSFERRED, passed.down_bytes), (ROUND_TRIPS, passed.round_trips)]);
                }
            }
            Class::NotUnpacked => node.fetch_anew(place)?,
            Class::ColdCache => values.push((DROPPED, node.drop_cached(place)?)),
            Class::FirstAfterStart => {
                self.starts = None;
                node.restart()?;
            }
            Class::Warm | Class::Compile => {}
        }
        let ran = self.run((&*node, place, link), id)?;
        node.after(place, link, id, ran.end)?;
        if ran.end == End::Stopped {
            return Ok(None);
        }
        let pulled = values.iter().find(|(name, _)| *name == PULL).map_or(0, |(_, value)| *value);
        values.extend([(RUN, ran.wall_ns), (WALL, pulled + ran.wall_ns)]);
        let of = (&self.session.runs.bench(place).name, self.session.runs.cell(place));
        let (outcome, reason) = self.expectations.judge(of, &ran, self.session.runs.timeout_ms);
        Ok(Some(Made { values, outcome, reason, output_sha256: Some(oci::digest::Digest::of(&ran.stdout).hex()) }))
    }

    fn run(&mut self, (node, place, link): (&Node<'_>, Place, Option<usize>), id: &str) -> anyhow::Result<Ran> {
        let runs = node.runs(link);
        let of = (runs.bench(place), &runs.cell(place).case);
        let invocation = single::invocation(runs.start(place), of, (node.ctr(), id))?;
        let (input, is_container) = (&of.0.input.stdin, of.1.is_container());
        if is_container && *input != Reads::Nothing && self.starts.is_none() {
            self.starts = node.ctr().map(TaskStarts::listen).transpose()?;
        }
        let (limit, starts) = (self.limit(), self.starts.as_mut().filter(|_| is_container));
        feed::child(&invocation, (input, starts, id), (limit, &self.watchdog))
    }

    fn limit(&self) -> Duration {
        Duration::from_millis(self.session.runs.timeout_ms)
    }

    /// What a compiler takes for the bench's module, and whether it made something.
    fn compile(&self, compilation: &Compilation) -> anyhow::Result<Option<Made>> {
        let bench = &self.session.runs.benches[self.request.bench];
        let module = bench.file(Kind::Wasm).context("the module was not built")?;
        let output = self.work.path().join(compilation.form.name());
        let put =
            |arg: &String| arg.replace(FILE, &module.path.to_string_lossy()).replace(OUTPUT, &output.to_string_lossy());
        let invocation = crate::invocation::Invocation {
            program: compilation.program.clone(),
            args: compilation.args.iter().map(put).collect(),
            env: Vec::new(),
            stdin: crate::invocation::Stdin::Empty,
        };
        let ran = child::run(&invocation, self.limit(), &self.watchdog)?;
        let made = std::fs::read(&output).unwrap_or_default();
        let removed = std::fs::remove_file(&output);
        let (outcome, reason) = match ran.end {
            End::Stopped => return Ok(None),
            End::Exited(0) if !made.is_empty() && removed.is_ok() => (Outcome::Ok, None),
            End::Exited(0) => (Outcome::WrongOutput, Some("the compiler wrote nothing".to_owned())),
            End::Exited(code) => (Outcome::NonZeroExit, Some(format!("exit status {code}"))),
            End::Signalled(signal) => (Outcome::Killed, Some(format!("signal {signal}"))),
            End::TimedOut => (Outcome::TimedOut, Some("still compiling at the time limit".to_owned())),
        };
        let digest = oci::digest::Digest::of(&made).hex();
        Ok(Some(Made { values: vec![(WALL, ran.wall_ns)], outcome, reason, output_sha256: Some(digest) }))
    }

    fn append(&mut self, sample: &FirstUseSample) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(sample)?;
        line.push(b'\n');
        let path = &self.request.samples;
        self.samples.write_all(&line).with_context(|| format!("can not append to `{}`", path.display()))
    }
}

/// What one step came to.
struct Made {
    values: Vec<(&'static str, u64)>,
    outcome: Outcome,
    reason: Option<String>,
    output_sha256: Option<String>,
}

/// The client, for whoever has none.
fn client<'a>(source: Option<&'a Source<'_>>) -> anyhow::Result<&'a Ctr> {
    source.map(|source| &source.host.ctr).context("no containerd is running")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_has_every_step_once_in_an_order_of_its_own() {
        let steps: Vec<Step> = (0..20).map(Step::Compile).collect();
        let (first, second) = (shuffled(&steps, 1, 0), shuffled(&steps, 1, 1));
        assert_eq!(first, shuffled(&steps, 1, 0));
        assert!(first != second && first != steps);
        assert!(steps.iter().all(|step| first.contains(step)) && first.len() == steps.len());
    }
}
