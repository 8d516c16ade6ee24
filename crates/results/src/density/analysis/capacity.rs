//! How many instances a node holds, and what limits them.

use crate::density::metric::{CGROUP, CPU, FILES, MOUNTS, PSS, THREADS};
use crate::density::{Capacity, Limit, NodeLimits, PerInstance};

/// The memory of the node that is spoken of: 16 GiB.
pub const NODE_MEMORY_BYTES: u64 = 16 << 30;

/// How many instances a node with this kernel's limits and [`NODE_MEMORY_BYTES`] of memory holds, if nothing else is on it;
/// `None` where no memory was read. Memory is the charge of their cgroups, PSS where there is none.
pub fn capacity(rows: &[PerInstance], limits: &NodeLimits) -> Option<Capacity> {
    let row = |name: &str| rows.iter().find(|row| row.metric == name);
    let memory = row(CGROUP).or_else(|| row(PSS))?;
    let processors_ns = limits.processors.map(|count| count.saturating_mul(1_000_000_000));
    let all = [
        ("memory", Some(memory), Some(NODE_MEMORY_BYTES)),
        ("pids", row(THREADS), limits.pids),
        ("threads", row(THREADS), limits.threads),
        ("files", row(FILES), limits.files),
        ("mounts", row(MOUNTS), limits.mounts),
        ("processors", row(CPU), processors_ns),
    ];
    let mut limits: Vec<Limit> = all.into_iter().filter_map(|(what, row, limit)| allowed(what, row?, limit?)).collect();
    limits.sort_by_key(|limit| limit.instances);
    let tightest = limits.first()?.clone();
    Some(Capacity {
        memory_bytes: NODE_MEMORY_BYTES,
        instances: tightest.instances,
        low: tightest.low,
        high: tightest.high,
        limited_by: tightest.what,
        limits,
    })
}

/// What is left of a limit beside what is there without any instance, by what one takes. `None` where one takes nothing.
fn allowed(what: &str, row: &PerInstance, limit: u64) -> Option<Limit> {
    let left = (limit as f64 - row.at_none.max(0.0)).max(0.0);
    Some(Limit {
        what: what.to_owned(),
        metric: row.metric.clone(),
        instances: whole(left, row.slope.value)?,
        low: row.slope.high.and_then(|most| whole(left, most)),
        high: row.slope.low.and_then(|least| whole(left, least)),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and both are positive")]
fn whole(left: f64, each: f64) -> Option<u64> {
    (each > 0.0).then(|| (left / each).floor() as u64)
}
