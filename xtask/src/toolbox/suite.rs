//! What is fetched, and from where: package lists, one pinned suite per family of distributions. Data only.
//!
//! Not here: any mirror's address. It comes from the host's own apt sources, or from an option. Programs that are had on
//! request only are listed in `matrix/programs.toml`.

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

/// What a tree or an image is made of, without what apt's resolver adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The name of the tree's folder.
    pub name: String,
    /// The packages that are asked for. `patchelf` is in every tree that programs are started from: each stands for itself, with its own dynamic linker
    /// and C library.
    pub packages: Vec<String>,
    /// The programs that it is made for: a tree without one of them is not accepted, and others are not kept.
    pub programs: Vec<Program>,
    /// What can be done where it can not be fetched: `or …`.
    pub otherwise: String,
}

/// A program of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// The argument with which it says something and ends at once: how a patched program is tried.
    pub probe: &'static str,
}

impl Contents {
    /// A tree of the packages named, and `patchelf`. Each program is asked for its version.
    fn new(name: &str, packages: &[&str], programs: &[&str]) -> Self {
        let probe = |name: &str| if name == RUNC_SHIM { "-v" } else { "--version" };
        let program = |name: &&str| Program { name: (*name).to_owned(), probe: probe(name) };
        let packages = packages.iter().chain(&["patchelf"]).map(|package| (*package).to_owned()).collect();
        Self {
            name: name.to_owned(),
            packages,
            programs: programs.iter().map(program).collect(),
            otherwise: PROVIDE.to_owned(),
        }
    }

    /// That of a program which is had on request, from a package.
    pub fn on_request(program: &str, package: &str) -> Self {
        let otherwise = format!("or leave out the cases that need `{program}`");
        Self { otherwise, ..Self::new(&format!("with-{program}"), &[package], &[program]) }
    }

    /// What lies below the program of an image. Nothing of it is started here, so it is no tree.
    pub fn of_base(image: &str, packages: &[String]) -> Self {
        Self {
            name: format!("image-{image}"),
            packages: packages.to_vec(),
            programs: Vec::new(),
            otherwise: format!("or leave out the cases that need the image `{image}`"),
        }
    }

    /// A group's.
    pub fn of(group: Group) -> Self {
        match group {
            Group::Run => Self::new(
                "run",
                &["containerd", "runc", "crun", "wasmedge", "protobuf-compiler", "libseccomp-dev"],
                &["containerd", RUNC_SHIM, "crun", "ctr", "protoc", "runc", "wasmedge"],
            ),
            Group::Tests => Self::new(
                "tests",
                &["docker-registry", "skopeo", "hyperfine"],
                &["docker-registry", "hyperfine", "skopeo"],
            ),
        }
    }

    /// The names of its programs.
    pub fn program_names(&self) -> Vec<&str> {
        self.programs.iter().map(|program| program.name.as_str()).collect()
    }
}

/// The way out for those who can not fetch what every run needs.
const PROVIDE: &str = "or install containerd (1.7 or later), runc and WasmEdge (0.14 or later) and name them with \
                       `--containerd`, `--ctr`, `--runc` and `--wasmedge`";

/// The one program here that knows no `--version`.
const RUNC_SHIM: &str = "containerd-shim-runc-v2";

/// Kept where a suite has it: crun under the name by which it runs modules itself. Not every distribution builds
/// crun so.
pub const EXTRAS: [&str; 1] = ["crun-wasm"];

/// Packages that the resolver takes to be there already: their maintainers depend on them for users, services,
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
