//! The same program in images that nobody has: in the layer of each lies a small file beside the program, so that layer,
//! config and manifest are other ones. What the file says makes them, and nothing else does.
//!
//! No index names them. Not here: what the files say.

use anyhow::Context as _;

use super::definition::Definition;
use super::epoch::Epoch;
use super::layer::{Entry, Node};
use super::{Bases, Content, Image, ImageSet, below};

/// Where the file is.
pub const PATH: &str = "image-mark";
/// Its permission bits.
const MODE: u32 = 0o444;

/// What makes an image another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The image's tag.
    pub tag: String,
    /// What the file says.
    pub text: String,
}

impl Mark {
    pub(super) fn entry(&self) -> Entry<'_> {
        Entry { path: PATH, mode: MODE, node: Node::File(self.text.as_bytes()) }
    }
}

/// A program, how it is packed, and what makes its image another one.
#[derive(Clone, Debug)]
pub struct Marked<'a> {
    /// The program.
    pub content: &'a Content,
    /// How it is packed.
    pub definition: &'a Definition,
    /// The mark.
    pub mark: Mark,
}

/// Packs them.
///
/// # Errors
/// As [`super::build`]; also for an image whose module is its layer.
pub fn build(wanted: &[Marked<'_>], bases: &Bases, epoch: Epoch) -> anyhow::Result<ImageSet> {
    let pack = |Marked { content, definition, mark }: &Marked<'_>| {
        let base = below(definition, bases)?;
        Image::pack(definition, (base, Some(mark)), content, epoch)
            .with_context(|| format!("can not make the image `{}:{}`", content.program, mark.tag))
    };
    let images = wanted.iter().map(pack).collect::<anyhow::Result<_>>()?;
    Ok(ImageSet { indexes: Vec::new(), ..ImageSet::new(images)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition;
    use crate::kind::Kind;
    use crate::layer;

    fn definition(text: &str) -> Definition {
        definition::parse("wasm", text).unwrap()
    }

    fn built(definition: &Definition, texts: &[&str]) -> anyhow::Result<ImageSet> {
        let content = Content { program: "noop".to_owned(), kind: Kind::Wasm, bytes: layer::MODULE_MAGIC.to_vec() };
        let mark = |text: &&str| Mark { tag: format!("wasm-{text}"), text: (*text).to_owned() };
        let wanted = texts.iter().map(|text| Marked { content: &content, definition, mark: mark(text) });
        build(&wanted.collect::<Vec<_>>(), &Bases::default(), Epoch::parse(None)?)
    }

    #[test]
    fn a_mark_makes_layer_config_and_manifest_other_ones_and_the_same_mark_the_same() {
        let definition = definition(include_str!("../../../images/wasm.toml"));
        let first = built(&definition, &["r0", "r1"]).unwrap();
        assert_eq!(built(&definition, &["r0", "r1"]).unwrap(), first);
        assert!(first.tagged().iter().all(|tagged| tagged.kind.is_some()), "an index names them");
        let [left, right] = first.images() else { panic!("{first:?}") };
        assert_eq!([left.name(), right.name()], ["wasm-r0", "wasm-r1"]);
        assert_ne!(left.manifest(), right.manifest());
        assert!(left.blobs().zip(right.blobs()).all(|(left, right)| left.digest() != right.digest()));
        assert_eq!(left.blobs().count(), 2);
    }

    #[test]
    fn an_image_whose_module_is_its_layer_can_not_have_one() {
        let error =
            format!("{:#}", built(&definition(include_str!("../../../images/wasm-module.toml")), &["r0"]).unwrap_err());
        assert!(error.contains("noop:wasm-r0") && error.contains("its module is its layer"), "{error}");
    }
}
