//! Files of an archive one by one: packages as they are, and the source of one, checked by apt against the signed index.
//!
//! Not here: what is made of them.

use std::path::Path;

use anyhow::Context as _;

use super::{Apt, DOWNLOAD_LIMIT};

impl Apt {
    /// Looks for sources too, from the next [`Apt::update`] on.
    ///
    /// # Errors
    /// When its list can not be written.
    pub fn with_sources(self) -> anyhow::Result<Self> {
        let path = self.dir.join("sources.list");
        let context = || format!("can not change `{}`", path.display());
        let packages = std::fs::read_to_string(&path).with_context(context)?;
        let sources = packages.replacen("deb ", "deb-src ", 1);
        std::fs::write(&path, packages + &sources).with_context(context)?;
        Ok(self)
    }

    /// Downloads these packages into a folder, without what they need.
    ///
    /// # Errors
    /// When the suite lacks one, or it can not be fetched.
    pub fn fetch_packages(&self, names: &[&str], folder: &Path) -> anyhow::Result<()> {
        self.get().args(["-qq", "download"]).args(names).dir(folder).limit(DOWNLOAD_LIMIT).run()?;
        Ok(())
    }

    /// Downloads the source of one version into a folder: its `.dsc`, and what that names.
    ///
    /// # Errors
    /// When the suite has another version, or it can not be fetched.
    pub fn fetch_source(&self, [name, version]: [&str; 2], folder: &Path) -> anyhow::Result<()> {
        let source = format!("{name}={version}");
        let command = self.get().args(["-qq", "source", "--download-only"]).arg(&source);
        command.dir(folder).limit(DOWNLOAD_LIMIT).run().with_context(|| format!("`{source}` can not be fetched"))?;
        Ok(())
    }
}
