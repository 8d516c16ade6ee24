//! What comes back from the measuring process, beside the samples that it wrote.

use serde::{Deserialize, Serialize};

use crate::measure::calibration::Modes;
use oci::digest::Digest;
use results::isolation::Isolation;
use results::node::StoredBytes;
use results::{HostRecord, LoadDuring, NotMeasured, ResourceRecord, RunStatus, UntilEnd};

/// What a session came to, beside its samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// How it ended.
    pub status: RunStatus,
    /// Why, when it failed.
    pub reason: Option<String>,
    /// From the first timed region's start to the last one's end.
    pub rounds_wall_ns: u64,
    /// The part of it inside timed regions.
    pub timed_ns: u64,
    /// Samples that were written.
    pub samples: u64,
    /// What was pulled, and how long that took.
    pub pulls: Vec<Pull>,
    /// How containers were run.
    pub host: Option<HostRecord>,
    /// How the modules of each case were executed, by the case's name.
    pub modes: Modes,
    /// What isolation was seen in containers.
    pub isolation: Vec<Isolation>,
    /// What could not be run, and why.
    pub not_measured: Vec<NotMeasured>,
    /// Why it stopped, when it was to stop on precision.
    pub until: Option<UntilEnd>,
    /// What was read of memory and processor time; absent when that was not wanted.
    pub resources: Option<ResourceRecord>,
    /// What benches had to print that nobody had said before, by their names.
    pub learned: Vec<(String, Digest)>,
    /// What the machine did meanwhile.
    pub load: LoadDuring,
}

/// One image pulled and unpacked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pull {
    /// The digest of the manifest that containerd holds now, hashed after the pull.
    pub manifest: Digest,
    /// How long `ctr images pull` took.
    pub pull_ns: u64,
    /// What containerd's root grew by; `None` where it is not ours.
    pub stored: Option<StoredBytes>,
}
