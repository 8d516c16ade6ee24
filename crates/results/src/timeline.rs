//! The timeline of a run: what `timeline.jsonl` stores of a traced run, and the phases that follow from it.
//!
//! Stored are marks: moments that somebody dated, counted from the start of the timed region. Phases are what lies between
//! them, so those of one run sum to its wall time to the nanosecond. What lies beside a moment that is missing is nobody's:
//! it is `unattributed`, and never added to a neighbour.
//!
//! Not here: how a moment is dated (`xtask`), and statistics over runs (`analysis`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Outcome;

mod summary;

pub use summary::{ArmTimeline, MedianRow, PhaseDifference, PhaseRow, StepRow, TimelineDifference, TracingCost};

/// The names of the moments of a container's run, and of the first two of a process's.
pub mod mark {
    /// containerd's snapshotter has prepared the container's root.
    pub const SNAPSHOT_PREPARED: &str = "snapshot-prepared";
    /// containerd has stored the container.
    pub const CONTAINER_CREATED: &str = "container-created";
    /// The shim has made the container's process, which waits.
    pub const TASK_CREATED: &str = "task-created";
    /// The shim says that the program was started; it may be running for a while then.
    pub const TASK_STARTED: &str = "task-started";
    /// The program's own clock, read before anything else.
    pub const FIRST_INSTRUCTION: &str = "first-instruction";
    /// The program's own clock, read after everything else.
    pub const LAST_INSTRUCTION: &str = "last-instruction";
    /// The shim has noticed the end.
    pub const TASK_EXITED: &str = "task-exited";
    /// The shim has deleted the task.
    pub const TASK_DELETED: &str = "task-deleted";
    /// containerd has removed the snapshot.
    pub const SNAPSHOT_REMOVED: &str = "snapshot-removed";
    /// containerd has forgotten the container.
    pub const CONTAINER_DELETED: &str = "container-deleted";
}

/// What a shim of this project notes of its own work, in the order in which it does it: those of one chain, each of which
/// waits for the one before. The first is there wherever any is.
pub const SHIM_STEPS: [(&str, &str); 13] = [
    ("shim-started", "containerd executes the shim"),
    ("server-started", "the shim executes its server"),
    ("rootfs-mounted", "server asked to create, root file system mounted"),
    ("specification-adapted", "engine and namespaces awaited, specification adapted"),
    ("content-fetched", "image content asked for and fetched"),
    ("namespaces-entered", "container's process forked, cgroup joined"),
    ("container-prepared", "namespaces, mounts, root changed"),
    (mark::TASK_CREATED, "creation reported"),
    ("module-read", "asked to start, module read"),
    ("module-loaded", "module loaded"),
    ("module-validated", "module validated"),
    ("module-instantiated", "module instantiated"),
    ("program-executed", "asked to start, program executed"),
];

/// What a shim of this project does beside that, in another process.
pub const SHIM_BESIDE: [(&str, &str); 2] =
    [("engine-loaded", "engine loaded"), ("zygote-prepared", "network and user namespace made")];

/// A moment may be dated so much before the one that came before it: two processes read two clocks, one after the other.
const DISORDER_NS: i64 = 300_000;

/// A bench beside which runs were traced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedBench {
    /// Its name.
    pub bench: String,
    /// The program of the traced runs: it prints its clock first and last, and does the same as the bench's in between. The
    /// bench's own, where that prints no clock.
    pub program: String,
}

/// Whether the program of traced runs prints its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProgramClock {
    /// First and last, so that its first and its last instruction are dated.
    Printed,
    /// It is somebody's own program, and says nothing of that: its start, its work and its end are one phase.
    Unknown,
}

/// One traced run: a line of `timeline.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The bench that it is beside.
    pub bench: String,
    /// The case.
    pub case: String,
    /// The round that it is beside, warm-up rounds included.
    pub round: u32,
    /// The place within the traced round, from 0.
    pub position: u32,
    /// Whether it is beside a warm-up round.
    pub warmup: bool,
    /// The timed region, as for any run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ns: Option<u64>,
    /// Moments by name, ns after the start of the timed region.
    pub marks: BTreeMap<String, i64>,
    /// How far the clock of containerd's events may be off that of the timed region; absent where no event was dated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_error_ns: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is no sample, or what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The client starts, connects and asks for the image; a snapshot is prepared.
    ClientStart,
    /// The container is stored.
    ContainerCreate,
    /// The shim is started and makes the sandbox.
    TaskCreate,
    /// From the task, or for a direct run from the start, to the program's first instruction.
    ProgramStart,
    /// The program's own work.
    Work,
    /// From the program's last instruction until its end is known.
    Exit,
    /// All three of a program that prints no clock.
    Program,
    /// The task is deleted, the shim ends.
    TaskDelete,
    /// Container and snapshot are deleted.
    ContainerDelete,
    /// The client ends.
    ClientEnd,
    /// Beside a moment that nobody dated.
    Unattributed,
}

impl Phase {
    /// In the order of a run.
    pub const ALL: [Self; 11] = [
        Self::ClientStart,
        Self::ContainerCreate,
        Self::TaskCreate,
        Self::ProgramStart,
        Self::Work,
        Self::Exit,
        Self::Program,
        Self::TaskDelete,
        Self::ContainerDelete,
        Self::ClientEnd,
        Self::Unattributed,
    ];

    /// In the words of a table.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ClientStart => "client start, image, snapshot",
            Self::ContainerCreate => "container created",
            Self::TaskCreate => "task created",
            Self::ProgramStart => "to the first instruction",
            Self::Work => "the program's own work",
            Self::Exit => "exit noticed",
            Self::Program => "program started, working, ended",
            Self::TaskDelete => "task deleted",
            Self::ContainerDelete => "container and snapshot deleted",
            Self::ClientEnd => "client end",
            Self::Unattributed => "unattributed",
        }
    }
}

/// The moments of a container's run that end a phase.
const CONTAINER: [(&str, Phase); 8] = [
    (mark::SNAPSHOT_PREPARED, Phase::ClientStart),
    (mark::CONTAINER_CREATED, Phase::ContainerCreate),
    (mark::TASK_CREATED, Phase::TaskCreate),
    (mark::FIRST_INSTRUCTION, Phase::ProgramStart),
    (mark::LAST_INSTRUCTION, Phase::Work),
    (mark::TASK_EXITED, Phase::Exit),
    (mark::TASK_DELETED, Phase::TaskDelete),
    (mark::CONTAINER_DELETED, Phase::ContainerDelete),
];

/// Those of a direct run. What comes after the last is the exit.
const DIRECT: [(&str, Phase); 2] =
    [(mark::FIRST_INSTRUCTION, Phase::ProgramStart), (mark::LAST_INSTRUCTION, Phase::Work)];

/// Those of a container whose program prints no clock. Of such a direct run nothing is dated.
const CONTAINER_OF_UNKNOWN: [(&str, Phase); 6] = [
    (mark::SNAPSHOT_PREPARED, Phase::ClientStart),
    (mark::CONTAINER_CREATED, Phase::ContainerCreate),
    (mark::TASK_CREATED, Phase::TaskCreate),
    (mark::TASK_EXITED, Phase::Program),
    (mark::TASK_DELETED, Phase::TaskDelete),
    (mark::CONTAINER_DELETED, Phase::ContainerDelete),
];

/// A run, cut into its phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phases {
    /// How long each took; they sum to the wall time.
    pub lengths: BTreeMap<Phase, u64>,
    /// The moments that nobody dated.
    pub missing: Vec<&'static str>,
}

/// Cuts a run into its phases; `None` for one that gave no time.
pub fn phases(trace: &Trace, is_container: bool, clock: ProgramClock) -> Option<Phases> {
    let wall = i64::try_from(trace.wall_ns?).ok()?;
    let (ends, last) = match (is_container, clock) {
        (true, ProgramClock::Printed) => (&CONTAINER[..], Phase::ClientEnd),
        (true, ProgramClock::Unknown) => (&CONTAINER_OF_UNKNOWN[..], Phase::ClientEnd),
        (false, ProgramClock::Printed) => (&DIRECT[..], Phase::Exit),
        (false, ProgramClock::Unknown) => (&[][..], Phase::Program),
    };
    let mut lengths = BTreeMap::from([(Phase::Unattributed, 0)]);
    let mut missing = Vec::new();
    let (mut from, mut is_known) = (0, true);
    let mut add = |phase: Phase, is_known: bool, length: i64| {
        *lengths.entry(if is_known { phase } else { Phase::Unattributed }).or_default() += length.unsigned_abs();
    };
    for (name, phase) in ends {
        let is_plausible = |at: &&i64| (from - DISORDER_NS..=wall + DISORDER_NS).contains(*at);
        if let Some(at) = trace.marks.get(*name).filter(is_plausible) {
            let at = (*at).clamp(from, wall);
            add(*phase, is_known, at - from);
            (from, is_known) = (at, true);
        } else {
            missing.push(*name);
            is_known = false;
        }
    }
    add(last, is_known, wall - from);
    Some(Phases { lengths, missing })
}

/// What a shim noted of one chain of its own work, each step with its end and with what it took since the one before: from
/// the container being created to the program's first instruction.
pub fn steps(trace: &Trace) -> Vec<(&'static str, i64, u64)> {
    let Some(mut from) = trace.marks.get(mark::CONTAINER_CREATED).copied() else { return Vec::new() };
    let mut steps = Vec::new();
    if !trace.marks.contains_key(SHIM_STEPS[0].0) {
        return steps;
    }
    for (name, _) in SHIM_STEPS {
        if let Some(at) = trace.marks.get(name).filter(|at| **at >= from - DISORDER_NS) {
            let at = (*at).max(from);
            steps.push((name, at, (at - from).unsigned_abs()));
            from = at;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(wall_ns: u64, marks: &[(&str, i64)]) -> Trace {
        Trace {
            bench: "b".to_owned(),
            case: "c".to_owned(),
            round: 1,
            position: 0,
            warmup: false,
            wall_ns: Some(wall_ns),
            marks: marks.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect(),
            clock_error_ns: None,
            outcome: Outcome::Ok,
            reason: None,
        }
    }

    const MS: i64 = 1_000_000;

    /// Those of a program that prints its clock.
    fn phases(trace: &Trace, is_container: bool) -> Option<Phases> {
        super::phases(trace, is_container, ProgramClock::Printed)
    }

    fn whole() -> Vec<(&'static str, i64)> {
        CONTAINER.iter().zip(1..).map(|((name, _), place)| (*name, place * 10 * MS)).collect()
    }

    #[test]
    fn the_phases_of_a_run_sum_to_its_wall_time() {
        let found = phases(&trace(95_000_000, &whole()), true).unwrap();
        assert_eq!(found.lengths.values().sum::<u64>(), 95_000_000);
        assert_eq!((found.lengths[&Phase::TaskCreate], found.lengths[&Phase::ClientEnd]), (10_000_000, 15_000_000));
        assert_eq!((found.lengths[&Phase::Unattributed], found.missing.len()), (0, 0));
        let direct = phases(&trace(5, &[(mark::FIRST_INSTRUCTION, 2), (mark::LAST_INSTRUCTION, 4)]), false).unwrap();
        assert_eq!(direct.lengths[&Phase::ProgramStart], 2);
        assert_eq!(direct.lengths.values().sum::<u64>(), 5);
    }

    #[test]
    fn what_lies_beside_a_missing_moment_is_nobodys() {
        let marks: Vec<_> = whole().into_iter().filter(|(name, _)| *name != mark::FIRST_INSTRUCTION).collect();
        let found = phases(&trace(95_000_000, &marks), true).unwrap();
        assert_eq!(found.missing, [mark::FIRST_INSTRUCTION]);
        assert_eq!(found.lengths[&Phase::Unattributed], 20_000_000);
        assert!(!found.lengths.contains_key(&Phase::Work) && !found.lengths.contains_key(&Phase::ProgramStart));
        assert_eq!(found.lengths.values().sum::<u64>(), 95_000_000);
    }

    /// The clock of a sandbox that has one of its own.
    #[test]
    fn a_moment_outside_of_the_run_or_before_the_last_one_is_missing() {
        for wrong in [-5 * MS, 12 * MS, 96 * MS] {
            let mut marks: BTreeMap<_, _> = whole().into_iter().collect();
            marks.insert(mark::FIRST_INSTRUCTION, wrong);
            let marks: Vec<_> = marks.into_iter().collect();
            let found = phases(&trace(95_000_000, &marks), true).unwrap();
            assert_eq!(found.missing, [mark::FIRST_INSTRUCTION], "{wrong}");
            assert_eq!(found.lengths.values().sum::<u64>(), 95_000_000);
        }
    }

    #[test]
    fn a_little_disorder_is_two_clocks_and_no_gap() {
        let marks = [(mark::FIRST_INSTRUCTION, -200_000), (mark::LAST_INSTRUCTION, 5_200_000)];
        let found = phases(&trace(5_000_000, &marks), false).unwrap();
        assert_eq!((found.lengths[&Phase::ProgramStart], found.lengths[&Phase::Work]), (0, 5_000_000));
        assert!(found.missing.is_empty());
    }

    #[test]
    fn a_program_that_prints_no_clock_is_one_phase_and_lacks_nothing() {
        let marks: Vec<_> = CONTAINER_OF_UNKNOWN.iter().zip(1..).map(|((name, _), at)| (*name, at * 10 * MS)).collect();
        let found = super::phases(&trace(75_000_000, &marks), true, ProgramClock::Unknown).unwrap();
        assert_eq!((found.lengths[&Phase::Program], found.lengths[&Phase::Unattributed]), (10_000_000, 0));
        assert_eq!(found.lengths.values().sum::<u64>(), 75_000_000);
        let direct = super::phases(&trace(7, &[]), false, ProgramClock::Unknown).unwrap();
        assert_eq!((direct.lengths[&Phase::Program], direct.lengths[&Phase::Unattributed]), (7, 0));
        assert!(found.missing.is_empty() && direct.missing.is_empty());
    }

    #[test]
    fn a_run_without_a_time_has_no_phases() {
        assert_eq!(phases(&Trace { wall_ns: None, ..trace(1, &[]) }, true), None);
        let found = phases(&trace(7, &[]), true).unwrap();
        assert_eq!((found.lengths[&Phase::Unattributed], found.missing.len()), (7, 8));
    }

    #[test]
    fn the_steps_of_a_shim_are_a_chain_from_the_container_on() {
        let of_shim = [("shim-started", 14), ("content-fetched", 30), ("other", 3)];
        let of_containerd = [(mark::CONTAINER_CREATED, 10), (mark::TASK_CREATED, 33)];
        let found = steps(&trace(100, &[of_shim.as_slice(), &of_containerd].concat()));
        assert_eq!(found, [("shim-started", 14, 4), ("content-fetched", 30, 16), (mark::TASK_CREATED, 33, 3)]);
        assert_eq!(steps(&trace(100, &of_shim)), []);
        assert_eq!(steps(&trace(100, &of_containerd)), []);
    }
}
