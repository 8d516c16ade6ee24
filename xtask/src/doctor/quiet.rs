//! What limits the resolution of measurements here. Pure: a machine and its counters in, findings out.

use super::Finding;
use crate::machine::load::Snapshot;
use results::Machine;

/// Above this share since boot, others on the same host are felt.
const STEAL_FELT: f64 = 0.01;

/// Governor, turbo, hyper-threads, virtualisation, steal and load.
pub fn examine(machine: &Machine, now: &Snapshot) -> Vec<Finding> {
    vec![
        governor(machine.governor.as_deref()),
        turbo(machine.turbo),
        smt(machine.smt),
        virtualised(machine.virtualised),
        steal(now.steal_since_boot()),
        load(now.load_average(), machine.cpus),
    ]
}

fn governor(governor: Option<&str>) -> Finding {
    const WHAT: &str = "governor";
    match governor {
        Some("performance") => Finding::ok(WHAT, "performance"),
        Some(other) => Finding::warn(
            WHAT,
            format!("{other}: the frequency follows the load, so short runs are slower than long ones"),
            "`cpupower frequency-set --governor performance` while measuring",
        ),
        None => Finding::ok(WHAT, "the kernel shows none (as in most virtual machines)"),
    }
}

fn turbo(turbo: Option<bool>) -> Finding {
    const WHAT: &str = "turbo";
    match turbo {
        Some(true) => Finding::warn(
            WHAT,
            "on: the frequency depends on heat and on what the other cores do",
            "write 1 to /sys/devices/system/cpu/intel_pstate/no_turbo, or 0 to /sys/devices/system/cpu/cpufreq/boost",
        ),
        Some(false) => Finding::ok(WHAT, "off"),
        None => Finding::ok(WHAT, "the kernel does not show it"),
    }
}

fn smt(smt: Option<bool>) -> Finding {
    const WHAT: &str = "hyper-threads";
    match smt {
        Some(true) => Finding::warn(
            WHAT,
            "on: two threads share a core, and what runs on the other one is felt",
            "write `off` to /sys/devices/system/cpu/smt/control while measuring",
        ),
        Some(false) => Finding::ok(WHAT, "off"),
        None => Finding::ok(WHAT, "the kernel does not show it"),
    }
}

fn virtualised(virtualised: Option<bool>) -> Finding {
    const WHAT: &str = "virtualised";
    match virtualised {
        Some(true) => Finding::warn(
            WHAT,
            "yes: times hold for this virtual machine, and neighbours may be felt",
            "compare ratios rather than times; measure on bare metal for times",
        ),
        Some(false) => Finding::ok(WHAT, "no"),
        None => Finding::ok(WHAT, "the processor does not say"),
    }
}

fn steal(share: Option<f64>) -> Finding {
    const WHAT: &str = "steal";
    match share {
        Some(share) if share > STEAL_FELT => Finding::warn(
            WHAT,
            format!("{:.1} % of the processor time since boot went to other guests", share * 100.0),
            "use a machine with processors of its own; more rounds help a little",
        ),
        Some(share) => Finding::ok(WHAT, format!("{:.2} % since boot", share * 100.0)),
        None => Finding::ok(WHAT, "the kernel does not count it"),
    }
}

/// One busy process is the measured one's neighbour on every machine with fewer than two idle processors.
fn load(average: Option<f64>, cpus: Option<u32>) -> Finding {
    const WHAT: &str = "load";
    let Some(average) = average else { return Finding::ok(WHAT, "the kernel does not say") };
    let detail = format!("{average:.2} over the last minute on {} processors", cpus.unwrap_or(1));
    if average > f64::from(cpus.unwrap_or(1)) * 0.25 {
        Finding::warn(WHAT, detail, "stop what else is running, and wait a minute")
    } else {
        Finding::ok(WHAT, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_quiet_machine_is_ok_and_a_silent_one_too() {
        let quiet = Machine {
            governor: Some("performance".to_owned()),
            turbo: Some(false),
            smt: Some(false),
            virtualised: Some(false),
            cpus: Some(8),
            ..Machine::default()
        };
        for machine in [quiet, Machine::default()] {
            let findings = examine(&machine, &Snapshot::default());
            assert!(findings.iter().all(|finding| finding.status == Status::Ok), "{findings:?}");
        }
    }

    #[test]
    fn whatever_disturbs_is_a_warning() {
        let restless = [
            governor(Some("powersave")),
            turbo(Some(true)),
            smt(Some(true)),
            virtualised(Some(true)),
            steal(Some(0.02)),
            load(Some(1.0), Some(2)),
        ];
        assert!(restless.iter().all(|finding| finding.status == Status::Warn), "{restless:?}");
        assert_eq!(load(Some(1.0), Some(8)).status, Status::Ok);
        assert_eq!(steal(Some(0.001)).status, Status::Ok);
    }
}
