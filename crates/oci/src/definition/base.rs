//! `[base]` of a definition: the packages below the program, and what of them is left out.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use glob::Pattern;
use serde::Deserialize;
use toml::Spanned;

use super::{Checker, Platform, absolute};

/// What lies below the program's layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The packages that are asked for; what they need comes with them.
    pub packages: Vec<String>,
    /// Why these.
    pub why: String,
    /// Paths that are left out, with everything below them; without a leading slash, as the others.
    pub leave_out: Vec<Pattern>,
    /// What of that is kept.
    pub keep: Vec<Pattern>,
    /// Links that no package has, and where they lead.
    pub links: BTreeMap<String, String>,
    /// In how many layers it lies.
    pub layers: usize,
}

/// The most layers that a base may have: with the program's own below the 128 that overlay file systems of old kernels take.
const LAYERS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireBase {
    packages: Spanned<Vec<Spanned<String>>>,
    why: Spanned<String>,
    #[serde(default)]
    leave_out: Vec<Spanned<String>>,
    #[serde(default)]
    keep: Vec<Spanned<String>>,
    #[serde(default)]
    links: BTreeMap<Spanned<String>, Spanned<String>>,
    layers: Option<Spanned<usize>>,
}

impl Checker<'_> {
    pub(super) fn base(&self, wire: &Spanned<WireBase>, platform: Platform) -> anyhow::Result<Base> {
        self.at(wire, |_| {
            ensure!(
                platform == Platform::LinuxAmd64,
                "a base is made of packages for `{}`, and this image is for `{platform}`",
                Platform::LinuxAmd64
            );
            Ok(())
        })?;
        let wire = wire.get_ref();
        self.at(&wire.packages, |packages| {
            ensure!(!packages.is_empty(), "`packages` is empty: name one, or leave out `[base]`");
            Ok(())
        })?;
        let packages = wire.packages.get_ref().iter().map(|name| self.at(name, |name| package(name)));
        let patterns = |wire: &[Spanned<String>]| {
            wire.iter().map(|text| self.at(text, |text| pattern(text))).collect::<anyhow::Result<Vec<_>>>()
        };
        let links = wire.links.iter().map(|(path, target)| {
            let path = self.at(path, |path| absolute(path))?;
            self.at(target, |target| {
                ensure!(!target.is_empty(), "the link `{}` leads nowhere: say to which path", path.0);
                Ok(())
            })?;
            Ok((path.0.trim_start_matches('/').to_owned(), target.get_ref().clone()))
        });
        Ok(Base {
            packages: packages.collect::<anyhow::Result<_>>()?,
            why: self.why(&wire.why)?,
            leave_out: patterns(&wire.leave_out)?,
            keep: patterns(&wire.keep)?,
            links: links.collect::<anyhow::Result<_>>()?,
            layers: wire.layers.as_ref().map_or(Ok(1), |layers| {
                self.at(layers, |layers| {
                    ensure!((1..=LAYERS_MAX).contains(layers), "`layers` is {layers}: expected 1 to {LAYERS_MAX}");
                    Ok(*layers)
                })
            })?,
        })
    }
}

/// The name of a Debian package (Debian Policy, 5.6.1).
fn package(name: &str) -> anyhow::Result<String> {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "+-.".contains(letter);
    let first = name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
    ensure!(
        first && name.len() > 1 && name.chars().all(fits),
        "`{name}` is no name of a package, which is expected to be of lower-case letters, digits, `+`, `-` and `.`"
    );
    Ok(name.to_owned())
}

fn pattern(text: &str) -> anyhow::Result<Pattern> {
    let relative = text.strip_prefix('/').filter(|relative| !relative.is_empty() && !relative.ends_with('/'));
    let relative = relative.with_context(|| format!("`{text}` is no path: expected `/` in front and none behind"))?;
    Pattern::new(relative).with_context(|| format!("`{text}` is no pattern"))
}
