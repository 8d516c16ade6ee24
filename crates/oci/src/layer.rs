//! A layer: a reproducible tar stream, compressed or not. Bytes in, bytes out.
//!
//! The tar is plain ustar (POSIX.1-1988): sorted names, one mtime, uid and gid 0, no owner names, no pax
//! headers. The compressed bytes depend on the version of the compression library, which `Cargo.lock` pins.
//! Not here: whiteouts, hard links, devices, owners other than root.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};

use anyhow::{Context as _, ensure};
use flate2::{Compression as GzipLevel, GzBuilder};

use super::digest::{DiffId, Digest};
use super::epoch::Epoch;

/// The most that a layer may unpack to when it is read back, so that a damaged one can not fill the memory.
const UNPACKED_BYTES_MAX: u64 = 1 << 30;
/// Permission bits of folders on the way to a file.
const FOLDER_MODE: u32 = 0o755;

/// The media type of a module that is a layer itself, without any tar (Wasm OCI Artifact Layout of the CNCF's TAG Runtime).
pub const MODULE_MEDIA_TYPE: &str = "application/wasm";
/// What every module begins with (WebAssembly core specification, 5.5.16).
pub const MODULE_MAGIC: &[u8] = b"\0asm";

/// How the tar stream is stored, by name: what can be read off a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// As it is.
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878. Needs containerd 1.5 and Docker 23 or later.
    Zstd,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::None, Self::Gzip, Self::Zstd];

    /// The name in definitions and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The media type of a layer stored so (OCI image-spec 1.1, layer.md).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::None => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }

    /// The algorithm that a media type names; `None` for media types that are not written here.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.media_type() == media_type)
    }
}

/// An algorithm with its effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    algorithm: Algorithm,
    level: u8,
}

impl Compression {
    /// An algorithm at a level, or at its default: gzip 9 and zstd 19, for images are written once and pulled often.
    ///
    /// # Errors
    /// When the algorithm has no such level.
    pub fn new(algorithm: Algorithm, level: Option<u8>) -> anyhow::Result<Self> {
        let (default, range) = match algorithm {
            Algorithm::None => {
                ensure!(level.is_none(), "compression `none` has no `level`: remove it");
                return Ok(Self { algorithm, level: 0 });
            }
            Algorithm::Gzip => (9, 1..=9),
            Algorithm::Zstd => (19, 1..=22),
        };
        let level = level.unwrap_or(default);
        ensure!(
            range.contains(&level),
            "`level` of {} is {level}: expected {} to {}",
            algorithm.name(),
            range.start(),
            range.end()
        );
        Ok(Self { algorithm, level })
    }
}

impl Compression {
    /// Without its effort.
    pub fn algorithm(self) -> Algorithm {
        self.algorithm
    }
}

/// Something to be packed. Folders on the way to it need not be named.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its place below the root, without a slash at either end.
    pub path: &'a str,
    /// Its permission bits.
    pub mode: u32,
    /// What it is.
    pub node: Node<'a>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug)]
pub enum Node<'a> {
    /// A regular file with this content.
    File(&'a [u8]),
    /// A folder.
    Folder,
    /// A symbolic link to this path.
    Link(&'a str),
}

/// A packed layer: the bytes as stored, and the name of the bytes inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// How it is stored.
    pub algorithm: Algorithm,
    /// The bytes as stored and transferred.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// The tar stream's name.
    pub diff_id: DiffId,
    /// The tar stream's size.
    pub unpacked_bytes: u64,
}

impl Layer {
    /// Packs entries.
    ///
    /// # Errors
    /// When two have one path, or a path does not fit a ustar header (100 bytes, or 255 split at a slash; 100 for where a
    /// link leads).
    pub fn pack(entries: &[Entry<'_>], compression: Compression, epoch: Epoch) -> anyhow::Result<Self> {
        let tar = tar(entries, epoch)?;
        let bytes = compress(&tar, compression)?;
        Ok(Self {
            algorithm: compression.algorithm,
            digest: Digest::of(&bytes),
            diff_id: DiffId::of(&tar),
            unpacked_bytes: tar.len() as u64,
            bytes,
        })
    }
}

fn tar(given: &[Entry<'_>], epoch: Epoch) -> anyhow::Result<Vec<u8>> {
    let mut entries: BTreeMap<String, Option<&Entry<'_>>> = BTreeMap::new();
    for entry in given {
        for (end, _) in entry.path.match_indices('/') {
            entries.entry(format!("{}/", &entry.path[..end])).or_insert(None);
        }
        let slash = if matches!(entry.node, Node::Folder) { "/" } else { "" };
        let before = entries.insert(format!("{}{slash}", entry.path), Some(entry)).flatten();
        ensure!(before.is_none(), "two files of a layer have the path `{}`", entry.path);
    }
    let mut builder = tar::Builder::new(Vec::new());
    for (path, entry) in entries {
        let mut header = tar::Header::new_ustar();
        header
            .set_path(&path)
            .with_context(|| format!("`{path}` is no path for a layer: shorten the `path` of the definition"))?;
        let node = entry.map_or(Node::Folder, |entry| entry.node);
        let (kind, bytes) = match node {
            Node::File(bytes) => (tar::EntryType::Regular, bytes),
            Node::Folder => (tar::EntryType::Directory, &[][..]),
            Node::Link(_) => (tar::EntryType::Symlink, &[][..]),
        };
        if let Node::Link(target) = node {
            header.set_link_name_literal(target).with_context(|| format!("`{path}` can not lead to `{target}`"))?;
        }
        header.set_entry_type(kind);
        header.set_mode(entry.map_or(FOLDER_MODE, |entry| entry.mode));
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(epoch.seconds());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, bytes)?;
    }
    Ok(builder.into_inner()?)
}

fn compress(tar: &[u8], compression: Compression) -> anyhow::Result<Vec<u8>> {
    match compression.algorithm {
        Algorithm::None => Ok(tar.to_vec()),
        Algorithm::Gzip => {
            // 255 is "unknown" (RFC 1952, 2.3.1): the builder's own system is not part of an image.
            let header = GzBuilder::new().mtime(0).operating_system(255);
            let mut encoder = header.write(Vec::new(), GzipLevel::new(compression.level.into()));
            encoder.write_all(tar)?;
            Ok(encoder.finish()?)
        }
        Algorithm::Zstd => Ok(zstd::bulk::compress(tar, compression.level.into())?),
    }
}

/// The tar stream inside stored bytes.
///
/// # Errors
/// When they are not what the algorithm writes, have something behind their end, or unpack to over a GiB.
pub fn unpack(bytes: &[u8], algorithm: Algorithm) -> anyhow::Result<Vec<u8>> {
    let mut rest = bytes;
    let tar = match algorithm {
        Algorithm::None => return Ok(bytes.to_vec()),
        Algorithm::Gzip => read_bounded(flate2::bufread::GzDecoder::new(&mut rest)),
        Algorithm::Zstd => {
            read_bounded(zstd::stream::read::Decoder::with_buffer(&mut rest).map(zstd::Decoder::single_frame)?)
        }
    };
    let tar = tar.with_context(|| format!("it is not {}", algorithm.name()))?;
    ensure!(rest.is_empty(), "{} bytes follow its {} stream", rest.len(), algorithm.name());
    Ok(tar)
}

fn read_bounded(reader: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut tar = Vec::new();
    reader.take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut tar)?;
    ensure!(tar.len() as u64 <= UNPACKED_BYTES_MAX, "it unpacks to more than {UNPACKED_BYTES_MAX} bytes");
    Ok(tar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const HELLO: Entry<'_> = Entry { path: "hello", mode: 0o755, node: Node::File(b"hello, layer\n") };

    fn pack(algorithm: Algorithm) -> Layer {
        Layer::pack(&[HELLO], Compression::new(algorithm, None).unwrap(), Epoch::ZERO).unwrap()
    }

    #[test]
    #[expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]
    fn golden_digests_for_every_algorithm() {
        let seen: Vec<_> = Algorithm::ALL
            .into_iter()
            .map(|algorithm| {
                let layer = pack(algorithm);
                format!("{:4} {:4} {}\n", algorithm.name(), layer.bytes.len(), layer.digest)
            })
            .collect();
        expect![[r#"
            none 2048 sha256:eb796825bc0ab143a76bffd14291f696d723936f402779066a3649929787c79c
            gzip  100 sha256:f360cd4aa6ac4fd353f1cbf62e182435d0b083b927949840400ff450049c17b0
            zstd   79 sha256:0c5ac424a6ae4796f9f088ba8ca72d27e9fac4d2fe7601527a6752dd26fabce3
        "#]]
        .assert_eq(&seen.concat());
    }

    #[test]
    fn the_diff_id_does_not_depend_on_the_compression() {
        let ids = Algorithm::ALL.map(|algorithm| pack(algorithm).diff_id);
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_eq!(ids[0], DiffId::of(&pack(Algorithm::None).bytes));
    }

    #[test]
    fn stored_bytes_unpack_to_the_tar_that_they_were() {
        let tar = pack(Algorithm::None).bytes;
        for algorithm in Algorithm::ALL {
            assert_eq!(unpack(&pack(algorithm).bytes, algorithm).unwrap(), tar);
        }
    }

    #[test]
    fn names_are_sorted_and_folders_come_before_what_is_in_them() {
        let file = |path| Entry { path, mode: 0o644, node: Node::File(b"") };
        let tar = tar(&[file("usr/bin/b"), file("usr/bin/a"), file("etc")], Epoch::ZERO).unwrap();
        let names: Vec<_> = tar::Archive::new(&tar[..])
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["etc", "usr/", "usr/bin/", "usr/bin/a", "usr/bin/b"]);
    }

    #[test]
    fn the_gzip_header_has_neither_time_nor_name_nor_system() {
        assert_eq!(pack(Algorithm::Gzip).bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    }

    #[test]
    fn what_is_not_a_layer_is_an_error() {
        for algorithm in [Algorithm::Gzip, Algorithm::Zstd] {
            let bytes = pack(algorithm).bytes;
            assert!(unpack(b"garbage", algorithm).is_err());
            assert!(unpack(&bytes[..bytes.len() - 3], algorithm).is_err());
            let error = unpack(&[&bytes[..], b"tail"].concat(), algorithm).unwrap_err().to_string();
            assert!(error.contains("4 bytes follow"), "{error}");
        }
    }

    #[test]
    fn two_files_at_one_path_and_paths_too_long_are_errors() {
        let compression = Compression::new(Algorithm::None, None).unwrap();
        let double = Layer::pack(&[HELLO, HELLO], compression, Epoch::ZERO).unwrap_err().to_string();
        assert!(double.contains("`hello`"), "{double}");
        let path = "x".repeat(101);
        let long = Layer::pack(&[Entry { path: &path, ..HELLO }], compression, Epoch::ZERO).unwrap_err().to_string();
        assert!(long.contains("shorten"), "{long}");
    }

    #[test]
    fn levels_out_of_range_are_errors() {
        for (algorithm, level) in
            [(Algorithm::None, 1), (Algorithm::Gzip, 0), (Algorithm::Gzip, 10), (Algorithm::Zstd, 23)]
        {
            assert!(Compression::new(algorithm, Some(level)).is_err());
        }
    }
}
