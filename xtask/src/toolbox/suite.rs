//! What is fetched, and from where: package lists, one pinned suite per family of distributions. Data only.
//!
//! Not here: any mirror's address. It comes from the host's own apt sources, or from an option.

use super::Group;

/// Distributions that share an archive, its keys and its suites.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// `ID` in os-release.
    pub id: &'static str,
    /// `Origin` of the archive's release files.
    pub origin: &'static str,
    /// The suite that everything is taken from, whatever release the host runs.
    pub suite: &'static str,
    /// The archive's components.
    pub components: &'static str,
    /// Where the family's keyring package puts the archive's keys.
    pub keyrings: &'static [&'static str],
}

/// Only Debian was tried. Ubuntu's suite is its long-term one after Debian's; nobody has run this program on it yet.
pub const FAMILIES: [Family; 2] = [
    Family {
        id: "debian",
        origin: "Debian",
        suite: "trixie",
        components: "main",
        keyrings: &["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"],
    },
    Family {
        id: "ubuntu",
        origin: "Ubuntu",
        suite: "resolute",
        components: "main universe",
        keyrings: &["/usr/share/keyrings/ubuntu-archive-keyring.gpg"],
    },
];

/// What a group consists of, without what apt's resolver adds. `patchelf` is in both: each group's tree stands
/// for itself, with its own dynamic linker and C library.
pub const fn packages(group: Group) -> &'static [&'static str] {
    match group {
        Group::Run => &["containerd", "runc", "crun", "wasmedge", "protobuf-compiler", "libseccomp-dev", "patchelf"],
        Group::Tests => &["docker-registry", "skopeo", "hyperfine", "patchelf"],
    }
}

/// A program of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// The argument with which it says something and ends at once: how a patched program is tried.
    pub probe: &'static str,
}

const fn program(name: &'static str, probe: &'static str) -> Program {
    Program { name, probe }
}

/// The programs of a group: a tree without one of them is not accepted, and others are not kept.
pub const fn programs(group: Group) -> &'static [Program] {
    match group {
        Group::Run => {
            const {
                &[
                    program("containerd", "--version"),
                    program("containerd-shim-runc-v2", "-v"),
                    program("crun", "--version"),
                    program("ctr", "--version"),
                    program("protoc", "--version"),
                    program("runc", "--version"),
                    program("wasmedge", "--version"),
                ]
            }
        }
        Group::Tests => {
            const {
                &[
                    program("docker-registry", "--version"),
                    program("hyperfine", "--version"),
                    program("skopeo", "--version"),
                ]
            }
        }
    }
}

/// Kept where a suite has it: crun under the name by which it runs modules itself. Not every distribution builds
/// crun so.
pub const EXTRAS: [&str; 1] = ["crun-wasm"];

/// Packages that the resolver is told are there already: their maintainers depend on them for users, services,
/// default policies and signing keys, none of which an unpacked program here uses. Without this, skopeo alone
/// brings GnuPG, iptables and the CNI plugins (19 MB more).
pub const ASSUMED: [&str; 10] = [
    "adduser",
    "debconf",
    "dirmngr",
    "gnupg",
    "golang-github-containers-common",
    "gpg",
    "gpg-agent",
    "gpgconf",
    "gpgsm",
    "init-system-helpers",
];

/// Libraries that builds may link, each put alone into a folder of its own: a linker (or rustc) that is pointed
/// at the whole library folder loads the newer C library and dies.
pub const LINKABLE: [(&str, &str); 1] = [("libseccomp", "libseccomp.a")];

/// The family of a host by its os-release: its own `ID`, else the first of `ID_LIKE` that is known.
pub fn family(id: &str, id_like: &str) -> Option<&'static Family> {
    std::iter::once(id)
        .chain(id_like.split_whitespace())
        .find_map(|name| FAMILIES.iter().find(|family| family.id == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_belong_to_the_first_family_that_they_are_like() {
        let id = |id, like| family(id, like).map(|family| family.id);
        assert_eq!(id("debian", ""), Some("debian"));
        assert_eq!(id("linuxmint", "ubuntu debian"), Some("ubuntu"));
        assert_eq!(id("raspbian", "debian"), Some("debian"));
        assert_eq!(id("fedora", "rhel"), None);
    }
}
