//! What a pod's sandbox runs: nothing, until it is killed.
//!
//! A sandbox's containers are added to its namespaces while this program holds them. It is the first process of a PID
//! namespace, for which signals without a handler do nothing, SIGKILL excepted: with that containerd's CRI ends a
//! sandbox. Processes that lose their parent are not reaped: each container here has a PID namespace of its own.

fn main() {
    loop {
        std::thread::park();
    }
}
